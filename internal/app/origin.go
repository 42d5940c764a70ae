package app

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// firstReadWithin bounds the wait for the ConfigMap at the start: while the
// management cluster is away the file must do.
const firstReadWithin = 3 * time.Second

// ConfigMap names the ConfigMap that holds the configuration's file. The zero
// value is none.
type ConfigMap struct{ Namespace, Name string }

// origin is the configuration as the management cluster has it. It goes before
// the file, which the kubelet mounts from the same ConfigMap and brings up to
// date later.
type origin struct {
	// file is the configuration as it was read from the file.
	file *config.Config
	// text is nil where there's no ConfigMap.
	text *kube.Text
	name string
	log  *zap.Logger
	// heard: the ConfigMap was read, so that the file's word counts no longer.
	heard atomic.Bool
	// last is what was told last: a configuration's digest, or an error's text. It
	// is the watch's own once that runs.
	last string
}

func newOrigin(o Options, reach func() (*rest.Config, error)) (*origin, error) {
	d := &origin{file: o.Config, log: o.Logger, last: o.Config.Digest}
	if o.ConfigMap == (ConfigMap{}) {
		return d, nil
	}
	management, err := reach()
	if err != nil {
		return nil, err
	}
	d.name = "configmap/" + o.ConfigMap.Namespace + "/" + o.ConfigMap.Name
	d.text, err = kube.NewText(kube.TextOptions{
		Config: management, Namespace: o.ConfigMap.Namespace, Name: o.ConfigMap.Name, Key: filepath.Base(o.Config.File), Logger: o.Logger,
	})
	return d, err
}

// first gives the configuration to start with. What can't be read or is refused
// leaves it to the file.
func (d *origin) first(ctx context.Context) *config.Config {
	if d.text == nil {
		return d.file
	}
	ctx, cancel := context.WithTimeout(ctx, firstReadWithin)
	defer cancel()
	text, err := d.text.Read(ctx)
	if err != nil {
		d.log.Warn("configuration taken from the file for now", zap.Error(err))
		return d.file
	}
	d.heard.Store(true)
	c, err := config.FromText(d.name, text)
	if err != nil {
		d.log.Error("configuration refused, the file's goes on", logkey.File(d.name), zap.Error(err))
		return d.file
	}
	d.last = c.Digest
	return c
}

// watchFile tells of changes of the file, until the ConfigMap was heard of.
func (d *origin) watchFile(ctx context.Context, notify func(config.Update)) error {
	config.Watch(ctx, d.file, func(u config.Update) {
		if !d.heard.Load() {
			notify(u)
		}
	}, func(err error) {
		d.log.Warn("the configuration can't be watched, it is read every few seconds instead", zap.Error(err))
	})
	return nil
}

// watchAPI tells of changes of the ConfigMap.
func (d *origin) watchAPI(ctx context.Context, notify func(config.Update)) error {
	return d.text.Follow(ctx, func(text string) {
		d.heard.Store(true)
		c, err := config.FromText(d.name, text)
		var found string
		if err != nil {
			found = err.Error()
		} else {
			found = c.Digest
		}
		if found == d.last {
			return
		}
		d.last = found
		notify(config.Update{Config: c, Err: err})
	})
}
