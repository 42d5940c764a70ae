package mutants

// inAdapters are mistakes of adapters. The simulator has its own, by the contract
// that the real ones are held to (internal/awscontract).
func inAdapters() []Mutant {
	const dir = "internal/sim/"
	return []Mutant{
		{
			Name: "UPSERT instead of compare-and-swap", File: dir + "cloud.go",
			Old: "	case g.dns && g.now != x.expected:\n",
			New: "	case false:\n",
		},
		{
			Name: "the swap compares the weights only", File: dir + "cloud.go",
			Old: "	case g.dns && g.now != x.expected:\n",
			New: "	case g.dns && g.now.w != x.expected.w:\n",
		},
		{
			Name: "a write without an answer is sent again, blindly", File: dir + "commit.go",
			Old: "	case clash, unreachable:\n		return x.resolve(base, how)\n",
			New: "	case clash, unreachable:\n		c, _ := x.r.read(x.p, x.end, x.g)\n		x.r.send(x.p, x.end, write{g: x.g, change: x.c, expected: c, wanted: x.wanted()})\n		return x.resolve(base, how)\n",
		},
		{
			Name: "the journal is written without comparing", File: dir + "api.go",
			Old: "			case s.rv != last.rv:\n				r.w.count(Conflicted)\n				return errRace\n",
			New: "",
		},
		{
			Name: "a binary reads the schema after its own", File: dir + "api.go",
			Old: "	case r.older && d.schema > shift.Schema-1:\n",
			New: "	case false:\n",
		},
	}
}
