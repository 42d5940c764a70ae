package shift

// fence writes the mark alone, where that is what is wanted.
func (g *group) fence(c Change) {
	if c.Fence {
		g.mark = new(c.Control)
	}
}
