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
	// Conditions are what holds of the pair, by type. SafeToRetire: blue may be
	// deleted; it is there while the pair is Completed.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
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
