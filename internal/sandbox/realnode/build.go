package realnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// The images, and the files in the play's folder that they are carried in.
const (
	imageName = "localhost/clusterswitch"
	pauseName = "localhost/clusterswitch-pause:1"
	imageFile = "image.tar"
	pauseFile = "pause.tar"
)

// The names that the Dockerfile gives to what it stands on.
const (
	goBase     = "docker.io/library/golang:1.26"
	staticBase = "gcr.io/distroless/static:nonroot"
)

// builder builds the images by buildah, which keeps what it needs in the play's folder.
type builder struct {
	options Options
	tools   tools
}

// build builds what isn't there yet from the same sources.
func (b builder) build(ctx context.Context) error {
	// What was mounted in former runs went away with them.
	if err := os.RemoveAll(b.options.file("storage-run")); err != nil {
		return err
	}
	if b.options.Pull {
		b.options.say("Building the image from the Dockerfile, with the base images of its registries …")
	} else {
		b.options.say("Building the image from the Dockerfile, unmodified. Its two base images are NOT the published ones: they are made of this\n" +
			"machine's Go toolchain with a shell, and of its CA certificates with a user 65532 (make real-node PULL=1 takes the published ones) …")
		if err := b.bases(ctx); err != nil {
			return err
		}
	}
	version, err := chartVersion(b.options.Root)
	if err != nil {
		return err
	}
	args := []string{"build", "--layers", "--isolation", "chroot", "--build-arg", "VERSION=v" + version, "--build-arg", "COMMIT=real-node", "--tag", imageName + ":" + version}
	if b.options.Pull {
		args = append(args, "--pull")
	} else {
		cache, err := goCaches(ctx)
		if err != nil {
			return err
		}
		args = append(append(args, "--pull=never"), cache...)
	}
	if err := b.buildah(ctx, append(args, b.options.Root)...); err != nil {
		return err
	}
	if err := b.pause(ctx); err != nil {
		return err
	}
	for image, file := range map[string]string{imageName + ":" + version: imageFile, pauseName: pauseFile} {
		path := b.options.file(file)
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if err := b.buildah(ctx, "push", "--quiet", image, "oci-archive:"+path+":"+image); err != nil {
			return err
		}
	}
	return nil
}

// goCaches lets the build find modules and what was compiled before, as a build with
// cache mounts does.
func goCaches(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		return nil, fmt.Errorf("asking go for its caches: %w", err)
	}
	dirs := strings.Fields(string(out))
	if len(dirs) != 2 {
		return nil, fmt.Errorf("asking go for its caches: it says %q", out)
	}
	const home = "/root" // of the user in the golang image
	return []string{"--volume", dirs[0] + ":/go/pkg/mod", "--volume", dirs[1] + ":" + path.Join(home, ".cache", "go-build")}, nil
}

// bases makes what stands in for the base images, under their names.
func (b builder) bases(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOPROXY", "GOSUMDB").Output()
	if err != nil {
		return fmt.Errorf("asking go where it is: %w", err)
	}
	env := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(env) != 3 {
		return fmt.Errorf("asking go where it is: it says %q", out)
	}
	goDir := b.options.file("bases/go")
	if err := shell(goDir, b.tools.programs["busybox"]); err != nil {
		return err
	}
	if err := etc(goDir, "root:x:0:0:root:/root:/bin/sh\n"); err != nil {
		return err
	}
	goFile := "FROM scratch\nCOPY . /\nENV PATH=/usr/local/go/bin:/bin GOPATH=/go GOTOOLCHAIN=local GOPROXY=" + env[1] + " GOSUMDB=" + env[2] + "\n"
	if err := b.buildah(ctx, "build", "--layers", "--tag", goBase+"-shell", "--file", b.write("golang.Containerfile", goFile), goDir); err != nil {
		return err
	}
	goFile = "FROM " + goBase + "-shell\nCOPY . /usr/local/go/\n"
	if err := b.buildah(ctx, "build", "--layers", "--pull=never", "--tag", goBase, "--file", b.write("golang.Containerfile", goFile), env[0]); err != nil {
		return err
	}
	staticDir := b.options.file("bases/static")
	if err := etc(staticDir, "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"); err != nil {
		return err
	}
	err = b.buildah(ctx, "build", "--layers", "--tag", staticBase, "--file", b.write("static.Containerfile", "FROM scratch\nCOPY . /\nUSER 65532:65532\n"), staticDir)
	return err
}

// write writes a file below the play's folder and returns its path.
func (b builder) write(name, content string) string {
	path := b.options.file(name)
	_ = os.WriteFile(path, []byte(content), 0o644) // buildah says what it can't read
	return path
}

// shell lays out a folder with a shell, which the Dockerfile's RUN needs.
func shell(dir, busybox string) error {
	for _, name := range []string{"bin", "tmp", "root", "go"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		return fmt.Errorf("reading busybox: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "bin", "sh"), program, 0o755)
}

// etc writes who there is, and copies the machine's certificates to where Go looks for
// them.
func etc(dir, users string) error {
	const bundle = "/etc/ssl/certs/ca-certificates.crt"
	content, err := os.ReadFile(bundle)
	if err != nil {
		return fmt.Errorf("reading the machine's certificates (Debian: apt install ca-certificates): %w", err)
	}
	target := filepath.Join(dir, bundle)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(target, content, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "etc", "passwd"), []byte(users), 0o644)
}

// pause builds the image that holds pods' namespaces.
func (b builder) pause(ctx context.Context) error {
	dir := b.options.file("pause")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, "pause"), "./internal/sandbox/realnode/pause")
	cmd.Dir, cmd.Env = b.options.Root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building pause: %w: %s", err, out)
	}
	err := b.buildah(ctx, "build", "--layers", "--tag", pauseName, "--file", b.write("pause.Containerfile", "FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT [\"/pause\"]\n"), dir)
	return err
}

// buildah runs it with a storage of its own.
func (b builder) buildah(ctx context.Context, args ...string) error {
	dir := b.options.file("storage")
	cmd := exec.CommandContext(ctx, b.tools.programs["buildah"], append([]string{"--root", dir, "--runroot", dir + "-run", "--storage-driver", "overlay"}, args...)...)
	cmd.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot")
	// It leaves a mount of its storage behind, and what runs in its containers if it is
	// killed.
	apart(cmd)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("running buildah %s: %w: %s", args[0], err, lastOf(string(out), 1500))
	}
	return nil
}

// lastOf is the end of a text.
func lastOf(text string, most int) string { return strings.TrimSpace(text[max(0, len(text)-most):]) }

// chartVersion is the chart's appVersion, which it takes as the image's tag.
func chartVersion(root string) (string, error) {
	chart, err := os.ReadFile(filepath.Join(root, "charts", "clusterswitch", "Chart.yaml"))
	if err != nil {
		return "", fmt.Errorf("reading the chart: %w", err)
	}
	for line := range strings.Lines(string(chart)) {
		if version, ok := strings.CutPrefix(line, "appVersion:"); ok {
			return strings.Trim(strings.TrimSpace(version), `"`), nil
		}
	}
	return "", errors.New("reading the chart: it has no appVersion")
}
