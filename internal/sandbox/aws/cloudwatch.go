package aws

import (
	"time"
)

// Limits of one GetMetricData call. CloudWatch API reference.
const (
	maxQueries    = 500
	maxDatapoints = 100_800
)

// The documents of GetMetricData.

type metricDataInput struct {
	StartTime         instant
	EndTime           instant
	ScanBy            string
	MaxDatapoints     int
	NextToken         string
	MetricDataQueries []metricDataQuery
}

type metricDataQuery struct {
	ID         string `cbor:"Id" json:"Id"`
	Label      string
	Expression string
	ReturnData *bool
	MetricStat *struct {
		Metric struct {
			Namespace  string
			MetricName string
			Dimensions []struct{ Name, Value string }
		}
		Period int64
		Stat   string
		Unit   string
	}
}

type metricDataOutput struct {
	MetricDataResults []metricDataResult
	Messages          []struct{}
}

type metricDataResult struct {
	ID         string `cbor:"Id" json:"Id"`
	Label      string
	Timestamps []instant
	Values     []float64
	StatusCode string
}

func (s *metricStore) operations() map[string]operation {
	return map[string]operation{"GetMetricData": {run: s.getMetricData}}
}

func (s *metricStore) getMetricData(req *request) (any, error) {
	var in metricDataInput
	if err := req.decode(&in); err != nil {
		return nil, err
	}
	if err := s.checkQueries(in); err != nil {
		return nil, err
	}
	out := metricDataOutput{MetricDataResults: []metricDataResult{}, Messages: []struct{}{}}
	for _, q := range in.MetricDataQueries {
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		out.MetricDataResults = append(out.MetricDataResults, s.answerQuery(in, q))
	}
	return out, nil
}

func (s *metricStore) checkQueries(in metricDataInput) error {
	switch {
	case in.StartTime.IsZero() || in.EndTime.IsZero():
		return badRequest("MissingParameter", "The request must contain the parameters StartTime and EndTime")
	case !in.StartTime.Before(in.EndTime.Time):
		return badRequest("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
	case len(in.MetricDataQueries) == 0:
		return badRequest("MissingParameter", "The request must contain the parameter MetricDataQueries")
	case len(in.MetricDataQueries) > maxQueries:
		return badRequest("ValidationError", "The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	case in.MaxDatapoints < 0 || in.MaxDatapoints > maxDatapoints:
		return badRequest("ValidationError", "The parameter MaxDatapoints must be between 1 and %d.", maxDatapoints)
	case in.ScanBy != "" && in.ScanBy != "TimestampDescending" && in.ScanBy != "TimestampAscending":
		return badRequest("ValidationError", "The value %s for the parameter ScanBy is not valid.", in.ScanBy)
	case in.NextToken != "":
		return badRequest("InvalidNextToken", "The sandbox answers in one page and gives no tokens.")
	}
	points, seen := int64(0), map[string]bool{}
	for i, q := range in.MetricDataQueries {
		if err := s.checkQuery(i+1, q); err != nil {
			return err
		}
		if seen[q.ID] {
			return badRequest("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
		}
		seen[q.ID] = true
		points += int64(in.EndTime.Sub(in.StartTime.Time)/time.Second)/q.MetricStat.Period + 1
	}
	if limit := int64(maxDatapoints); points > limit {
		return badRequest("ValidationError", "You have requested up to %d datapoints, which exceeds the limit of %d.", points, limit)
	}
	return nil
}

func (s *metricStore) checkQuery(n int, q metricDataQuery) error {
	resolution := int64(s.resolution / time.Second)
	switch {
	case !validID(q.ID):
		return badRequest("ValidationError", "The value %s for parameter MetricDataQueries.member.%d.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", q.ID, n)
	case q.Expression != "":
		return badRequest("ValidationError", "The sandbox has no metric math (MetricDataQueries.member.%d.Expression).", n)
	case q.MetricStat == nil:
		return badRequest("ValidationError", "The parameter MetricDataQueries.member.%d must have either MetricStat or Expression.", n)
	case q.MetricStat.Period < 1 || q.MetricStat.Period%resolution != 0:
		return badRequest("ValidationError", "The parameter MetricDataQueries.member.%d.MetricStat.Period must be a multiple of %d.", n, resolution)
	}
	if statisticOf(q.MetricStat.Stat, q.MetricStat.Metric.MetricName) == nil {
		return badRequest("ValidationError", "The sandbox has the statistics Sum, Average, SampleCount, Minimum and Maximum, and of TargetResponseTime pNN, TC(a:b) and PR(a:b), not %s (MetricDataQueries.member.%d.MetricStat.Stat).", q.MetricStat.Stat, n)
	}
	return nil
}

// validID keeps ids to the pattern ^[a-z][a-zA-Z0-9_]*$, up to 255 characters.
func validID(id string) bool {
	return id != "" && len(id) <= 255 && id[0] >= 'a' && id[0] <= 'z' && plain(id, '_')
}

// answerQuery aggregates one metric. A period without samples has no point: AWS
// reports missing data, not zeros.
func (s *metricStore) answerQuery(in metricDataInput, q metricDataQuery) metricDataResult {
	stat := q.MetricStat
	out := metricDataResult{ID: q.ID, Label: q.Label, StatusCode: "Complete", Timestamps: []instant{}, Values: []float64{}}
	if out.Label == "" {
		out.Label = stat.Metric.MetricName
	}
	key := metricKey{name: stat.Metric.MetricName}
	for _, d := range stat.Metric.Dimensions {
		switch d.Name {
		case "LoadBalancer":
			key.balancer = d.Value
		case "TargetGroup":
			key.group = d.Value
		default:
			return out // no such series is published
		}
	}
	if stat.Metric.Namespace != "AWS/ApplicationELB" || (stat.Unit != "" && stat.Unit != unitOf(key.name)) {
		return out
	}
	period := time.Duration(stat.Period) * time.Second
	points := s.points(key, in.StartTime.Truncate(period), in.EndTime.Time, period)
	if in.ScanBy != "TimestampAscending" {
		reverse(points)
	}
	statistic := statisticOf(stat.Stat, key.name)
	for _, p := range points {
		out.Timestamps = append(out.Timestamps, instant{p.at})
		out.Values = append(out.Values, statistic(p.sample))
	}
	return out
}
