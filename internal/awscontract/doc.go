// Package awscontract holds the AWS adapters, and every AWS that they are tried
// at, to one contract, and counts what faults do to writes. It has tests only.
//
// The contract suite asks each demand that the adapters have of AWS of the
// embedded AWS over real HTTP, of moto_server where that is on the PATH and
// right, and of the embedded AWS by the AWS CLI where that is on the PATH.
//
// The fault matrix lets each kind of write meet each fault. It runs in
// testing/synctest bubbles: real HTTP between the real SDK and the embedded AWS,
// but over pipes instead of sockets, so that minutes of waiting cost nothing and
// every run is the same.
package awscontract
