package filejournal

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Hand is a person's side of the directory: it reads what the daemon wrote, and
// changes what people ask for. It needs no daemon, and never touches a journal.
type Hand struct{ path string }

// NewHand makes a Hand. It touches nothing yet.
func NewHand(directory string) *Hand { return &Hand{path: directory} }

// lockWithin bounds the wait for another person's command.
const lockWithin = 5 * time.Second

// Get reads one pair. The error is v1alpha1.ErrNotFound when it isn't there.
func (h *Hand) Get(_ context.Context, pair string) (*v1alpha1.TrafficSwitch, error) {
	f, err := open(h.path)
	if err != nil {
		return nil, err
	}
	defer f.root.Close()
	object, _, err := f.object(pair)
	return object, err
}

// List reads all pairs, ordered by name.
func (h *Hand) List(context.Context) ([]v1alpha1.TrafficSwitch, error) {
	f, err := open(h.path)
	if err != nil {
		return nil, err
	}
	defer f.root.Close()
	var all []string
	for _, ending := range []string{journalEnding, requestEnding, besideEnding} {
		names, err := f.names(ending)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	var objects []v1alpha1.TrafficSwitch
	for _, pair := range slices.Compact(all) {
		object, _, err := f.object(pair)
		switch {
		case errors.Is(err, v1alpha1.ErrNotFound): // it went just now
		case err != nil:
			return nil, err
		default:
			objects = append(objects, *object)
		}
	}
	return objects, nil
}

// Look reads the state of a pair. A pair without a file has no state.
func (h *Hand) Look(_ context.Context, pair string) (shift.Found, error) {
	f, err := open(h.path)
	if err != nil {
		return shift.Found{}, err
	}
	defer f.root.Close()
	return f.look(pair)
}

// PatchSpec changes what is asked for one pair and leaves everything else as it
// is, in one write. It answers with the pair as it stands then. The error is
// v1alpha1.ErrNotFound when there is none, v1alpha1.ErrConflict when
// change.IfVersion is over. A request file that makes no sense stops every change
// but those that go back or stop rises.
func (h *Hand) PatchSpec(ctx context.Context, pair string, change v1alpha1.SpecChange) (*v1alpha1.TrafficSwitch, error) {
	object, err := h.patch(ctx, pair, change)
	if err != nil && !errors.Is(err, v1alpha1.ErrNotFound) {
		return nil, fmt.Errorf("changing %s: %w", pair, err)
	}
	return object, err
}

func (h *Hand) patch(ctx context.Context, pair string, change v1alpha1.SpecChange) (*v1alpha1.TrafficSwitch, error) {
	f, err := open(h.path)
	if err != nil {
		return nil, err
	}
	defer f.root.Close()
	if _, _, err := f.object(pair); err != nil { // before anything is made
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	l, err := await(bounded, f, requestLockName)
	if errors.Is(err, errTaken) {
		return nil, fmt.Errorf("another command changes a request in %s and doesn't end: %w", h.path, err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.release() }() // nothing can be lost by it
	if err := f.give(l.held); err != nil {
		return nil, err
	}
	object, fault, err := f.object(pair)
	if err != nil {
		return nil, err
	}
	if err := f.admit(pair, object, fault, change); err != nil {
		return nil, err
	}
	change.Apply(&object.Spec)
	content, err := encodeSpec(object.Spec)
	if err == nil {
		err = f.put(pair+requestEnding, content)
	}
	if err != nil {
		return nil, err
	}
	after, _, err := f.object(pair)
	return after, err
}

// admit says why a change may not be made. The copy of a broken request that is
// overwritten is kept.
func (f *folder) admit(pair string, object *v1alpha1.TrafficSwitch, fault string, change v1alpha1.SpecChange) error {
	if change.IfVersion != "" && change.IfVersion != object.ResourceVersion {
		return v1alpha1.ErrConflict
	}
	if fault == "" {
		return nil
	}
	stops := change.Rollback != nil && *change.Rollback || change.Paused != nil && *change.Paused
	path := f.full(pair + requestEnding)
	if !stops {
		return fmt.Errorf("%s can't be read, so what it asks for would be lost: %s; mend it, or remove it", path, fault)
	}
	content, err := f.read(pair + requestEnding)
	if err != nil || content == nil {
		return err
	}
	return f.put(pair+requestEnding+".broken", content)
}

// object puts a pair together from its files. fault says what of the request
// makes no sense.
func (f *folder) object(pair string) (object *v1alpha1.TrafficSwitch, fault string, err error) {
	if !validPair(pair) {
		return nil, "", fmt.Errorf("reading %s: %w", pair, v1alpha1.ErrNotFound)
	}
	generation := f.generation(pair) // before the request is read: it may be newer then, not older
	var contents [3][]byte
	for i, ending := range []string{journalEnding, besideEnding, requestEnding} {
		if contents[i], err = f.read(pair + ending); err != nil {
			if errors.Is(err, os.ErrPermission) {
				err = fmt.Errorf("%w: be the daemon's user, or root", err)
			}
			return nil, "", err
		}
	}
	if contents[0] == nil && contents[1] == nil && contents[2] == nil {
		return nil, "", fmt.Errorf("reading %s: %w", pair, v1alpha1.ErrNotFound)
	}
	object = &v1alpha1.TrafficSwitch{}
	object.Name, object.ResourceVersion, object.Generation = pair, versionOf(contents[:]...), generation
	object.Status = f.statusOf(pair, contents[0], contents[1])
	if contents[2] != nil {
		spec, _, broken := decodeSpec(contents[2])
		object.Spec, fault = spec, broken
	}
	if fault != "" {
		object.Status.Notes = append(slices.Clone(object.Status.Notes), f.full(pair+requestEnding)+" can't be read, so nothing rises: "+fault)
	}
	return object, fault, nil
}

// statusOf gives what the daemon says: where it can't write the journal itself it
// does so in a file of its own.
func (f *folder) statusOf(pair string, journal, beside []byte) v1alpha1.TrafficSwitchStatus {
	state, s := found(pair, journal)
	if beside != nil {
		said, broken := decode(pair, beside)
		if broken == "" && (state.Unreadable != "" || said.UpdatedAt.After(s.UpdatedAt.Time)) {
			return said
		}
	}
	if state.Unreadable != "" {
		s.Reason = cmp.Or(s.Reason, string(shift.JournalUnreadable))
		s.Message = cmp.Or(s.Message, f.full(pair+journalEnding)+": "+state.Unreadable)
	}
	return s
}

// versionOf is another for other contents.
func versionOf(contents ...[]byte) string {
	all := sha256.New()
	for _, c := range contents {
		sum := sha256.Sum256(c)
		all.Write(sum[:])
	}
	return hex.EncodeToString(all.Sum(nil))[:32]
}

// generation is higher where something was asked for later: the time of the
// request's last write, which counts hand-made edits too. 0: there is no request.
func (f *folder) generation(pair string) int64 {
	about, err := f.root.Stat(pair + requestEnding)
	if err != nil {
		return 0
	}
	return about.ModTime().UnixNano()
}
