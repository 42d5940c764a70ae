package planted

// waivers are what clusters filled alike still block by design: data doesn't come
// along by itself, and nothing but a person can say that it was brought.
func waivers() []waiver {
	return []waiver{
		{ID: "DataStaysBehind/StatefulSet.apps/shop/cart", Reason: "carts are replicated by the application itself", Until: "2099-01-01"},
	}
}
