package record

// MaxSize bounds a record's JSON, in bytes: the API server takes a MiB, and etcd is
// no place for long texts.
const MaxSize = 390_000

// Fit gives the record in at most so many bytes of JSON: texts become shorter, then
// what matters least goes.
func (r Record) Fit(limit int) Record {
	for _, shorten := range []func(*Record){
		func(r *Record) { r.shorten(160) },
		func(r *Record) { r.dropPassing() },
		func(r *Record) { r.dropLesser(maxEvents / 4) },
		func(r *Record) { r.shorten(60) },
		func(r *Record) { r.dropLesser(0) },
	} {
		if r.size() <= limit {
			return r
		}
		r = r.deep()
		shorten(&r)
	}
	for r.size() > limit && len(r.Timeline) > 1 {
		for range min(20, len(r.Timeline)-1) { // measuring costs more than folding
			r.foldOldest()
			r.LeftOut++
		}
	}
	return r
}

func (r Record) size() int {
	text, err := r.JSON(false)
	if err != nil {
		return 0 // JSON says why when it is written
	}
	return len(text)
}

// deep copies what fit changes below the lists.
func (r Record) deep() Record {
	r = r.copied()
	for i := range r.Grants {
		r.Grants[i].Verdicts = append([]Verdict{}, r.Grants[i].Verdicts...)
	}
	for _, p := range []**Preflight{&r.PreflightAtStart, &r.Preflight} {
		if *p != nil {
			short := **p
			short.Findings = append([]Finding{}, short.Findings...)
			*p = &short
		}
	}
	return r
}

// shorten bounds all sentences but those of rollbacks.
func (r *Record) shorten(to int) {
	for i := range r.Timeline {
		r.Timeline[i].Text = clipTo(r.Timeline[i].Text, to)
	}
	for i := range r.Grants {
		for k := range r.Grants[i].Verdicts {
			r.Grants[i].Verdicts[k].Message = clipTo(r.Grants[i].Verdicts[k].Message, to)
		}
	}
	for _, p := range []*Preflight{r.PreflightAtStart, r.Preflight} {
		if p == nil {
			continue
		}
		for i := range p.Findings {
			p.Findings[i].Message, p.Findings[i].Waiver = clipTo(p.Findings[i].Message, to), clipTo(p.Findings[i].Waiver, to)
		}
	}
}

// dropPassing leaves out of each grant the verdicts that have no numbers.
func (r *Record) dropPassing() {
	for i := range r.Grants {
		var kept []Verdict
		for _, v := range r.Grants[i].Verdicts {
			if v.Judgement != "pass" || len(v.Numbers) > 0 {
				kept = append(kept, v)
			}
		}
		r.LeftOut += len(r.Grants[i].Verdicts) - len(kept)
		r.Grants[i].Verdicts = filled(kept)
	}
}

// dropLesser leaves all but so many of the lesser events out, the oldest first.
func (r *Record) dropLesser(keep int) {
	n := 0
	for _, e := range r.Timeline {
		if lesser(e.Kind) {
			n++
		}
	}
	var kept []Event
	for _, e := range r.Timeline {
		if lesser(e.Kind) && n > keep {
			n--
			r.LeftOut++
			continue
		}
		kept = append(kept, e)
	}
	r.Timeline = kept
}
