package bench

import "testing"

func TestSizesOfImagesAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		tool, answer string
		want         int64
	}{
		"docker's bytes":       {"docker", "49283746\n", 49_283_746},
		"buildah's words":      {"buildah", `[{"id": "x", "size": "49.3 MB"}]`, 49_300_000},
		"with a closed space":  {"buildah", "[{\"size\": \"512\u00a0KB\"}]", 512_000},
		"buildah has no image": {"buildah", `[]`, 0},
		"a unit nobody knows":  {"buildah", `[{"size": "3 blobs"}]`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := sizeIn(test.tool, test.answer); got != test.want || (err == nil) != (test.want != 0) {
				t.Errorf("got %d, %v, want %d", got, err, test.want)
			}
		})
	}
}
