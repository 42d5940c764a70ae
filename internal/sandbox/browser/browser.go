// Package browser opens pages in a real Chromium, and says what was wrong with them.
package browser

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// names are those that Chromium has on the machines of users.
func names() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
}

// Browser is one process of Chromium, without a window.
type Browser struct {
	ctx  context.Context //nolint:containedctx // chromedp keeps its browser in a context
	stop []context.CancelFunc
}

// Start starts a Chromium. It says what to install where there is none.
func Start(ctx context.Context) (*Browser, error) {
	path := ""
	for _, name := range names() {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, fmt.Errorf("there is no %s in the PATH: install Chromium (Debian: apt install chromium)", strings.Join(names(), ", "))
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-color-profile", "srgb"),
	)
	allocated, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	browser, stopBrowser := chromedp.NewContext(allocated)
	b := &Browser{ctx: browser, stop: []context.CancelFunc{stopBrowser, stopAllocator}}
	if err := chromedp.Do(browser); err != nil {
		b.Stop()
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return b, nil
}

// Stop ends the browser, and all its tabs.
func (b *Browser) Stop() {
	for _, stop := range b.stop {
		stop()
	}
}

// View is the size of a tab, in CSS pixels, and what its user prefers.
type View struct {
	Width, Height int64
	Dark          bool
}

// Tab is one page. It notes what is wrong with it.
type Tab struct {
	ctx   context.Context //nolint:containedctx // chromedp keeps its tab in a context
	close context.CancelFunc

	mu     sync.Mutex // guards all below
	faults []string
	weight float64
}

// Open opens an empty tab with a memory and cookies of its own.
func (b *Browser) Open(v View) (*Tab, error) {
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t := &Tab{ctx: ctx, close: cancel}
	if err := chromedp.Listen(ctx, t.note); err != nil {
		cancel()
		return nil, fmt.Errorf("opening a tab: %w", err)
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	err := chromedp.Do(ctx,
		call(network.Enable, network.EnableParams{}), call(network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}),
		call(log.Enable, cdp.Empty{}), call(runtime.Enable, cdp.Empty{}),
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: v.Width, Height: v.Height, DeviceScaleFactor: 1, Mobile: v.Width < phone}),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
	)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("opening a tab: %w", err)
	}
	return t, nil
}

// phone is the width from which on a tab is no phone.
const phone = 500

// call is one command of the DevTools protocol as an action.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// Close closes the tab.
func (t *Tab) Close() { t.close() }

// note takes down what the page and the browser complain of, and what was loaded.
func (t *Tab) note(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		words := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			words += " " + e.ExceptionDetails.Exception.Description
		}
		t.faults = append(t.faults, "exception: "+words)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value)+arg.Description)
			}
			t.faults = append(t.faults, "console: "+strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			t.faults = append(t.faults, "log: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventLoadingFinished:
		t.weight += e.EncodedDataLength
	}
}

// Faults are the errors and warnings so far: of scripts, the network and the page's
// security policy.
func (t *Tab) Faults() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string{}, t.faults...)
}

// Weight is how many bytes all finished requests took on the wire.
func (t *Tab) Weight() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(t.weight)
}

// patience bounds each thing that a tab does.
const patience = time.Minute

func run[T any](t *Tab, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// Go opens an address.
func (t *Tab) Go(url string) error {
	if _, err := run(t, chromedp.Navigate(url)); err != nil {
		return fmt.Errorf("opening %s: %w", url, err)
	}
	return nil
}

// Await waits until an expression of JavaScript is true.
func (t *Tab) Await(expression string) error {
	if _, err := run(t, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience))); err != nil {
		return fmt.Errorf("waiting for %s: %w", expression, err)
	}
	return nil
}

// Tell gives the value of an expression of JavaScript, or of what it promises.
func Tell[T any](t *Tab, expression string) (T, error) {
	value, err := run(t, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		return value, fmt.Errorf("asking for %.80s: %w", expression, err)
	}
	return value, nil
}

// Press presses a key, such as "\t" or "\r"; text is typed key by key.
func (t *Tab) Press(keys string) error {
	if _, err := run(t, chromedp.KeyEvent(keys)); err != nil {
		return fmt.Errorf("pressing %q: %w", keys, err)
	}
	return nil
}

// Paste puts a text where the focus is, as people bring tokens.
func (t *Tab) Paste(text string) error {
	if _, err := run(t, call(input.InsertText, input.InsertTextParams{Text: text})); err != nil {
		return fmt.Errorf("pasting %d bytes: %w", len(text), err) // it may be a secret
	}
	return nil
}

// Shot gives a PNG of what the tab shows.
func (t *Tab) Shot() ([]byte, error) {
	png, err := run(t, chromedp.CaptureScreenshot())
	if err != nil {
		return nil, fmt.Errorf("taking a picture: %w", err)
	}
	return png, nil
}
