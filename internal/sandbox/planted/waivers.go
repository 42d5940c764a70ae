package planted

// waivers are what clusters filled alike still block by design: data doesn't come
// along by itself, and nothing but a person can say that it was brought.
func waivers() []waiver {
	return []waiver{
		{"DataStaysBehind/StatefulSet.apps/shop/cart", "carts are replicated by the application itself"},
	}
}
