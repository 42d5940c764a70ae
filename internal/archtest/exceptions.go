package archtest

// tooLong lists what may be longer than the limits: the file's path, or
// path:function, with the reason. An entry that is no longer needed fails the
// tests.
func tooLong() map[string]string {
	return map[string]string{}
}
