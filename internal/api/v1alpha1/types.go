package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// SafeToRetire is the type of the condition that says whether blue may be deleted.
const SafeToRetire = "SafeToRetire"

// TrafficSwitch is one pair of clusters whose traffic clusterswitch moves. It
// has the pair's name. Its spec is what people ask for, its status what the
// daemon says and remembers.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=tsw,path=trafficswitches
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`,description="Where the pair stands on its way"
// +kubebuilder:printcolumn:name="Green",type=integer,JSONPath=`.status.share`,description="Percent of the traffic that green is meant to have"
// +kubebuilder:printcolumn:name="Step",type=string,JSONPath=`.status.step`,description="Steps entered, of all steps"
// +kubebuilder:printcolumn:name="Blue ready",type=string,JSONPath=`.status.blueReady`,description="Ready replicas of blue, of those that it should have"
// +kubebuilder:printcolumn:name="Can take",type=integer,JSONPath=`.status.readiness.blueCapacityPercent`,description="Percent of the present load that blue could carry, if all went back to it now"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.reason`,description="Why the daemon did what it did last"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type TrafficSwitch struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what people ask for. The daemon never writes it.
	// +optional
	Spec TrafficSwitchSpec `json:"spec,omitempty"`
	// Status is the daemon's. Nobody else should write it.
	// +optional
	Status TrafficSwitchStatus `json:"status,omitempty"`
}

// TrafficSwitchList is a list of TrafficSwitch.
//
// +kubebuilder:object:root=true
type TrafficSwitchList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []TrafficSwitch `json:"items"`
}

// TrafficSwitchSpec is what people ask for, besides what the configuration
// file asks for. Its zero value asks for nothing. Two specs that ask for the
// same are equal by ==.
type TrafficSwitchSpec struct {
	// Paused stops rises; everything else goes on, rollbacks too.
	// +optional
	Paused bool `json:"paused,omitempty"`
	// HandsOff stops every write of the daemon to AWS, rollbacks too.
	// +optional
	HandsOff bool `json:"handsOff,omitempty"`
	// Rollback is the manual rollback flag: all traffic goes to blue, at once.
	// Taking it away starts nothing; a new attempt does.
	// +optional
	Rollback bool `json:"rollback,omitempty"`
	// RollbackForce lets Rollback go through even when blue is proven to have no
	// healthy target.
	// +optional
	RollbackForce bool `json:"rollbackForce,omitempty"`
	// Attempt asks for the shift with this number. The higher one of this and of
	// the configuration's counts; 0 asks for none.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Attempt int `json:"attempt,omitempty"`
	// Approved lets traffic rise to one step of one attempt that wants approval.
	// +optional
	Approved Approval `json:"approved,omitzero"`
	// Resolve answers the question in the status.
	// +optional
	Resolve Resolution `json:"resolve,omitzero"`
	// Vouch is a person's word that nothing of the singletons runs on one side
	// although the daemon can't see that: the other side takes them.
	// +optional
	Vouch Vouch `json:"vouch,omitzero"`
}

// Vouch is for one attempt, so that it can't leak into the next.
type Vouch struct {
	// Attempt is the attempt's number.
	// +kubebuilder:validation:Minimum=1
	Attempt int `json:"attempt"`
	// Take is the side that takes the singletons; nothing of them runs on the other.
	// +kubebuilder:validation:Enum=blue;green
	Take string `json:"take"`
}

// Approval names one step of one attempt, so that it can't leak into the next.
type Approval struct {
	// Attempt is the attempt's number.
	// +kubebuilder:validation:Minimum=1
	Attempt int `json:"attempt"`
	// Step counts from 1.
	// +kubebuilder:validation:Minimum=1
	Step int `json:"step"`
}

// Resolution answers one question of the daemon.
type Resolution struct {
	// ID is the question's ID, from the status.
	// +kubebuilder:validation:MinLength=1
	ID string `json:"id"`
	// How is "adopt", to go on from what is there, or "restore", to write the
	// intended share again.
	// +kubebuilder:validation:Enum=adopt;restore
	How string `json:"how"`
}

// TrafficSwitchStatus is what the daemon says of the pair.
type TrafficSwitchStatus struct {
	// Phase is where the pair stands on its way: Idle, Preflight, Shifting,
	// Standby, Completed, Returning, RollingBack or RolledBack.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Share is the percentage of traffic that green is meant to have.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	Share int `json:"share"`
	// Step is how many steps were entered, of how many: "2/4".
	// +optional
	Step string `json:"step,omitempty"`
	// Attempt counts the shifts of this pair; 0: none yet.
	// +optional
	Attempt int `json:"attempt"`
	// Reason is the machine-readable why of the last decision.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says the same in a sentence.
	// +optional
	Message string `json:"message,omitempty"`
	// BlueReady is how many replicas of blue are ready, of how many: "3/3".
	// +optional
	BlueReady string `json:"blueReady,omitempty"`
	// Readiness answers what would be, if all users went back to blue now. It is
	// absent where no attempt has users on green.
	// +optional
	Readiness *Readiness `json:"readiness,omitempty"`
	// Conditions sum the pair up for tools. BlueReady: blue could carry as much of
	// the present load as standby.capacity.atLeast wants. SafeToRetire: blue may be
	// deleted; it is there while the pair is Completed.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Notes are what else decides where users go, beside the weights: other
	// records of a group, cookies of clients, health checks; and why there is no
	// runbook.
	// +optional
	// +listType=atomic
	Notes []string `json:"notes,omitempty"`
	// ObservedGeneration is the generation of the spec that the daemon had seen.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// UpdatedAt is when the daemon wrote this status.
	// +optional
	UpdatedAt metav1.Time `json:"updatedAt,omitzero"`
	// Holder is the daemon that wrote it, the one that holds the lease: its host,
	// and what tells it from another process there.
	// +optional
	Holder string `json:"holder,omitempty"`
	// Question stands when only a person can answer how to go on.
	// +optional
	Question *Question `json:"question,omitempty"`
	// Gates are the last verdicts, in the order in which they were judged.
	// +optional
	// +listType=atomic
	Gates []Gate `json:"gates,omitempty"`
	// Rollback says who or what sent the traffic of this attempt back.
	// +optional
	Rollback *Rollback `json:"rollback,omitempty"`
	// Singletons are those that were handed over, or are on their way.
	// +optional
	// +listType=map
	// +listMapKey=key
	Singletons []Singleton `json:"singletons,omitempty"`
	// Journal is all that the daemon must remember: the exact JSON of its state,
	// with a schema number. It is written for the next start, not for people.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Journal *runtime.RawExtension `json:"journal,omitempty"`
}

// Question is what only a person can answer. While it stands nothing rises.
type Question struct {
	// ID goes into spec.resolve.id, to answer this question and no other.
	ID string `json:"id"`
	// Reason is the machine-readable why.
	Reason string `json:"reason"`
	// Message is the question in a sentence.
	Message string `json:"message"`
}

// Gate is the last verdict of one gate.
type Gate struct {
	// Gate is its name.
	Gate string `json:"gate"`
	// Judgement is pass, fail, wait or unknown.
	Judgement string `json:"judgement"`
	// Message explains it in a sentence.
	// +optional
	Message string `json:"message,omitempty"`
}

// Singleton is something of which one may run in the world.
type Singleton struct {
	// Key is its kind, namespace and name: "CronJob shop/report".
	Key string `json:"key"`
	// Side is blue or green, by Stage.
	Side string `json:"side"`
	// Stage is held: Side has it; giving: Side was told to stop, and ends what it
	// began; taking: Side was told to begin, and was not seen on yet; back: blue has
	// it again, and both sides become what they were before the attempt.
	Stage string `json:"stage"`
	// Since is when the stage began.
	Since metav1.Time `json:"since"`
	// OffSince is since when neither side begins work; absent: one does.
	// +optional
	OffSince *metav1.Time `json:"offSince,omitempty"`
	// Failed says why the last hand-over was given up.
	// +optional
	Failed string `json:"failed,omitempty"`
	// Gap is the last time in which neither side began work.
	// +optional
	Gap *SingletonGap `json:"gap,omitempty"`
}

// SingletonGap is a time in which neither side began a singleton's work.
type SingletonGap struct {
	// From is when the one side was told to stop.
	From metav1.Time `json:"from"`
	// To is when the other was seen on.
	To metav1.Time `json:"to"`
	// Missed is a run that was due in it and is not made up for, by the CronJob's
	// startingDeadlineSeconds; absent: none is known.
	// +optional
	Missed *metav1.Time `json:"missed,omitempty"`
}

// Rollback says who or what sent traffic back, and why.
type Rollback struct {
	// By is who asked for it.
	By string `json:"by"`
	// Why is the cause, in a sentence.
	Why string `json:"why"`
	// At is when it was decided.
	At metav1.Time `json:"at"`
	// Automatic tells that the daemon decided by itself.
	// +optional
	Automatic bool `json:"automatic,omitempty"`
}

// BlueReady says whether blue could take everything back: True, False,
// or Unknown where that can't be told or nothing is to go back.
const BlueReady = "BlueReady"

// Readiness is what would be, if all users went back to blue now.
type Readiness struct {
	// Message says it in a sentence.
	Message string `json:"message"`
	// BlueCapacityPercent is how much of all of the present load blue could carry,
	// of the workload where that is least; it may be above 100. Absent: unknown.
	// +optional
	BlueCapacityPercent *int `json:"blueCapacityPercent,omitempty"`
	// GreenCapacityPercent is how much green could carry of the share that it is to
	// get next, or has. Absent: unknown.
	// +optional
	GreenCapacityPercent *int `json:"greenCapacityPercent,omitempty"`
	// WantedPercent is the capacity from which blue counts as ready.
	WantedPercent int `json:"wantedPercent"`
	// Blue says what blue's capacity comes from.
	Blue Capacity `json:"blue"`
	// Green says what green's capacity comes from.
	Green Capacity `json:"green"`
	// Takes is how long it lasts until the last user whom weights can move is on
	// blue, such as 2m0s; empty: not known.
	// +optional
	Takes string `json:"takes,omitempty"`
	// Tails are the users whom weights don't move at once.
	// +optional
	// +listType=atomic
	Tails []Tail `json:"tails,omitempty"`
}

// Capacity is what one side has, and what it needs.
type Capacity struct {
	// Why says why it is unknown.
	// +optional
	Why string `json:"why,omitempty"`
	// Weakest is the workload where capacity is least, such as "Deployment shop/web";
	// empty: all workloads together.
	// +optional
	Weakest string `json:"weakest,omitempty"`
	// Ready is how many of its replicas are ready.
	// +optional
	Ready int `json:"ready,omitempty"`
	// Needed is how many are needed.
	// +optional
	Needed int `json:"needed,omitempty"`
	// ByLoad tells that the need follows the measured load. Else it follows the
	// replicas that carried everything before the shift.
	// +optional
	ByLoad bool `json:"byLoad,omitempty"`
}

// Tail is who stays on a side although the weights say otherwise.
type Tail struct {
	// Entrance is where they come in.
	Entrance string `json:"entrance"`
	// Side is blue or green: where they stay.
	Side string `json:"side"`
	// Kind is dns, cookie, connection or deregistration.
	Kind string `json:"kind"`
	// For is how long they would stay, were they sent to the other side now, such as
	// 1h0m0s; or endless, where nothing bounds it.
	For string `json:"for"`
	// Until is when those are gone who were sent to the other side already.
	// +optional
	Until metav1.Time `json:"until,omitzero"`
}

// TailEndless is what Tail.For is where nothing bounds it.
const TailEndless = "endless"
