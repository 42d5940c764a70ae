package facts

// Network is what lets users in, and what exists once in the world.
type Network struct{}

// Traffic is what AWS tells of the pair's declared entrances.
type Traffic struct{}
