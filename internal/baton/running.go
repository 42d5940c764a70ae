package baton

import (
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// running is work that is not over.
type running struct {
	count int
	// endsBy is when Kubernetes has ended all of it; zero with endless.
	endsBy  time.Time
	endless bool
}

// add adds one piece of work. A time that is over ended nothing: a node that
// can't be reached keeps its pods.
func (r *running) add(endsBy, now time.Time) {
	r.count++
	if !endsBy.After(now) {
		r.endless = true
	}
	if endsBy.After(r.endsBy) {
		r.endsBy = endsBy
	}
}

func (r *running) until() time.Time {
	if r.endless {
		return time.Time{}
	}
	return r.endsBy.UTC()
}

// over tells of a pod whether all its containers have ended.
func over(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// runningPods counts pods that are not gone; status.replicas wouldn't count those
// that terminate. deletionTimestamp holds the grace period already.
func runningPods(pods []corev1.Pod, now time.Time) *running {
	r := &running{}
	for i := range pods {
		if over(&pods[i]) {
			continue
		}
		var ends time.Time
		if d := pods[i].DeletionTimestamp; d != nil {
			ends = d.Time
		}
		r.add(ends, now)
	}
	return r
}

// batch is what the CronJobs of a namespace have started.
type batch struct {
	jobs []batchv1.Job
	pods []corev1.Pod // of jobs
}

// runningJobs counts the jobs of a CronJob that are not over, and those that are
// or that are gone but whose pods go on: Kubernetes before v1.31 says that a job
// failed while its pods still terminate.
func (b batch) runningJobs(c *batchv1.CronJob, now time.Time) *running {
	r := &running{}
	known := map[types.UID]bool{}
	for i := range b.jobs {
		job := &b.jobs[i]
		known[job.UID] = true
		if !ownedBy(job, c.UID) {
			continue
		}
		switch pods := b.podsOf(job.UID, now); {
		case !finished(job):
			r.add(deadlineOf(job), now)
		case pods.count > 0:
			r.add(pods.until(), now)
		case job.Status.Active > 0:
			r.add(time.Time{}, now)
		}
	}
	gone := map[types.UID]bool{}
	for i := range b.pods {
		o := metav1.GetControllerOf(&b.pods[i])
		if o == nil || known[o.UID] || gone[o.UID] || !startedBy(o.Name, c.Name) {
			continue
		}
		if pods := b.podsOf(o.UID, now); pods.count > 0 {
			gone[o.UID] = true
			r.add(pods.until(), now)
		}
	}
	return r
}

func (b batch) podsOf(job types.UID, now time.Time) *running {
	var pods []corev1.Pod
	for i := range b.pods {
		if o := metav1.GetControllerOf(&b.pods[i]); o != nil && o.UID == job {
			pods = append(pods, b.pods[i])
		}
	}
	return runningPods(pods, now)
}

// startedBy tells whether the job's name is one that the CronJob controller gives:
// the CronJob's, and the minute of the schedule.
func startedBy(job, cronJob string) bool {
	minute, found := strings.CutPrefix(job, cronJob+"-")
	return found && minute != "" && strings.Trim(minute, "0123456789") == ""
}

func ownedBy(o metav1.Object, owner types.UID) bool {
	c := metav1.GetControllerOf(o)
	return c != nil && c.UID == owner
}

func finished(j *batchv1.Job) bool {
	for _, c := range j.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

// deadlineOf is when Kubernetes has ended a job: by activeDeadlineSeconds, which
// counts from its start, and the time that its pods may take to terminate. Zero:
// it doesn't end it.
func deadlineOf(j *batchv1.Job) time.Time {
	if j.Spec.ActiveDeadlineSeconds == nil || j.Status.StartTime == nil {
		return time.Time{}
	}
	grace := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if g := j.Spec.Template.Spec.TerminationGracePeriodSeconds; g != nil {
		grace = *g
	}
	return j.Status.StartTime.Add(time.Duration(*j.Spec.ActiveDeadlineSeconds+grace) * time.Second)
}
