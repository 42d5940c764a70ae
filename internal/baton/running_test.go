package baton

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/google/go-cmp/cmp"
)

func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func at(seconds int) *metav1.Time {
	return new(metav1.NewTime(noon().Add(time.Duration(seconds) * time.Second)))
}

func controlledBy(kind, name, uid string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{Kind: kind, Name: name, UID: types.UID(uid), Controller: new(true)}}
}

func pod(job, uid string, deleted *metav1.Time, phase corev1.PodPhase) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{OwnerReferences: controlledBy("Job", job, uid), DeletionTimestamp: deleted},
		Status:     corev1.PodStatus{Phase: phase},
	}
}

func jobOf(cronJob, uid string, change func(*batchv1.Job)) batchv1.Job {
	j := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "report-1", UID: types.UID(uid), OwnerReferences: controlledBy("CronJob", "report", cronJob)}}
	change(&j)
	return j
}

func failed(j *batchv1.Job) {
	j.Status.Conditions = []batchv1.JobCondition{
		{Type: batchv1.JobFailureTarget, Status: corev1.ConditionTrue}, {Type: batchv1.JobFailed, Status: corev1.ConditionTrue},
	}
}

func within(seconds int64, started *metav1.Time, grace *int64) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Spec.ActiveDeadlineSeconds, j.Status.StartTime = &seconds, started
		j.Spec.Template.Spec.TerminationGracePeriodSeconds = grace
	}
}

func TestWhatRunsOfACronJob(t *testing.T) {
	t.Parallel()
	type result struct {
		Count  int
		EndsBy time.Time
	}
	running := corev1.PodRunning
	for name, test := range map[string]struct {
		batch batch
		want  result
	}{
		"nothing": {},
		"a job that nothing ends": {
			batch{jobs: []batchv1.Job{jobOf("c", "j", func(*batchv1.Job) {})}}, result{Count: 1},
		},
		"a job that only begins to fail goes on": {
			batch{jobs: []batchv1.Job{jobOf("c", "j", func(j *batchv1.Job) { failed(j); j.Status.Conditions = j.Status.Conditions[:1] })}}, result{Count: 1},
		},
		"a job with a deadline, and the usual time to terminate": {
			batch{jobs: []batchv1.Job{jobOf("c", "j", within(100, at(-40), nil))}}, result{1, at(90).Time},
		},
		"a job with a deadline, and pods that end at once": {
			batch{jobs: []batchv1.Job{jobOf("c", "j", within(100, at(-40), new(int64(0))))}}, result{1, at(60).Time},
		},
		"a job whose deadline is over ended nothing": {
			batch{jobs: []batchv1.Job{jobOf("c", "j", within(100, at(-400), nil))}}, result{Count: 1},
		},
		"a job with a deadline that hasn't started": {
			batch{jobs: []batchv1.Job{jobOf("c", "j", within(100, nil, nil))}}, result{Count: 1},
		},
		"two jobs, one of which nothing ends": {
			batch{jobs: []batchv1.Job{jobOf("c", "j", within(100, at(0), nil)), jobOf("c", "k", func(*batchv1.Job) {})}}, result{Count: 2},
		},
		"two jobs end with the later one": {
			batch{jobs: []batchv1.Job{jobOf("c", "j", within(100, at(0), nil)), jobOf("c", "k", within(200, at(0), nil))}}, result{2, at(230).Time},
		},
		"a job of somebody else": {
			batch{jobs: []batchv1.Job{jobOf("other", "j", func(*batchv1.Job) {})}}, result{},
		},
		"a job that failed": {batch{jobs: []batchv1.Job{jobOf("c", "j", failed)}}, result{}},
		"a job that failed while its pod terminates": {
			batch{[]batchv1.Job{jobOf("c", "j", failed)}, []corev1.Pod{pod("report-1", "j", at(20), running)}}, result{1, at(20).Time},
		},
		"a job that failed while its pod should be gone": {
			batch{[]batchv1.Job{jobOf("c", "j", failed)}, []corev1.Pod{pod("report-1", "j", at(-20), running)}}, result{Count: 1},
		},
		"a job that failed and whose pod is over": {
			batch{[]batchv1.Job{jobOf("c", "j", failed)}, []corev1.Pod{pod("report-1", "j", nil, corev1.PodFailed)}}, result{},
		},
		"a job that is gone before its two pods": {
			batch{pods: []corev1.Pod{pod("report-29541000", "j", at(20), running), pod("report-29541000", "j", at(30), running)}}, result{1, at(30).Time},
		},
		"a job that is gone, of a CronJob with a longer name": {
			batch{pods: []corev1.Pod{pod("report-daily-29541000", "j", at(20), running)}}, result{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "report", UID: "c"}}
			got := test.batch.runningJobs(c, noon())
			if diff := cmp.Diff(test.want, result{got.count, got.until()}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatRunsOfAWorkload(t *testing.T) {
	t.Parallel()
	ended, running := corev1.PodSucceeded, corev1.PodRunning
	for name, test := range map[string]struct {
		pods  []corev1.Pod
		count int
		ends  time.Time
	}{
		"a pod that stays":            {[]corev1.Pod{pod("", "", nil, running), pod("", "", at(9), running)}, 2, time.Time{}},
		"pods that terminate":         {[]corev1.Pod{pod("", "", at(5), running), pod("", "", at(9), corev1.PodPending)}, 2, at(9).Time},
		"a pod on a node that is cut": {[]corev1.Pod{pod("", "", at(-5), running), pod("", "", at(9), running)}, 2, time.Time{}},
		"pods that are over":          {[]corev1.Pod{pod("", "", nil, ended), pod("", "", nil, corev1.PodFailed)}, 0, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runningPods(test.pods, noon())
			if got.count != test.count || !got.until().Equal(test.ends) {
				t.Errorf("%d until %s, want %d until %s", got.count, got.until(), test.count, test.ends)
			}
		})
	}
}

func TestWhenACronJobIsDue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		schedule string
		zone     *string
		want     time.Time
	}{
		"in UTC where no zone is given":     {"30 12 * * *", nil, noon().Add(30 * time.Minute)},
		"in the zone that is given":         {"30 12 * * *", new("Europe/Berlin"), noon().Add(23*time.Hour + 30*time.Minute)},
		"every so often":                    {"@every 2h", nil, noon().Add(2 * time.Hour)},
		"never: no such day":                {"0 0 31 2 *", nil, time.Time{}},
		"a schedule that nobody can read":   {"every now and then", nil, time.Time{}},
		"a zone that nobody knows":          {"30 12 * * *", new("Europe/Atlantis"), time.Time{}},
		"a zone in the schedule itself":     {"TZ=Europe/Berlin 30 13 * * *", nil, noon().Add(30 * time.Minute)},
		"a zone on which the parser panics": {"TZ=UTC", nil, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &batchv1.CronJob{Spec: batchv1.CronJobSpec{Schedule: test.schedule, TimeZone: test.zone}}
			if got := nextRun(c, noon()); !got.Equal(test.want) {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// The CronJob controller learns a moment late that a CronJob is suspended.
func TestARunThatWasJustDueMayStillStart(t *testing.T) {
	t.Parallel()
	hourly := func(last *metav1.Time) *batchv1.CronJob {
		c := &batchv1.CronJob{Spec: batchv1.CronJobSpec{Schedule: "0 * * * *"}, Status: batchv1.CronJobStatus{LastScheduleTime: last}}
		c.CreationTimestamp = *at(-7200)
		return c
	}
	for name, test := range map[string]struct {
		last     *metav1.Time
		off, now *metav1.Time
		want     bool
	}{
		"due as it was suspended, and not started yet": {at(-3600), at(1), at(2), true},
		"due right after it was suspended":             {at(-3600), at(-2), at(1), true},
		"started already":                              {at(0), at(1), at(2), false},
		"not due for long":                             {at(-3600), at(-60), at(-59), false},
		"suspended for longer than a watch is behind":  {at(-3600), at(1), at(6), false},
		"never started since it was made":              {nil, at(1), at(2), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := mayStillStart(hourly(test.last), test.off.Time, test.now.Time); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
}
