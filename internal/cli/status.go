package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

func (p *program) statusCommand() *cobra.Command {
	var output string
	command := p.handCommand(&cobra.Command{
		Use:   "status [PAIR]",
		Short: "Show where pairs stand, and why",
		Long: `Show where all pairs stand, or one of them with its gates, its question and the
rollback that was made. It is what the daemon last wrote down.

With -o json the output is {"schemaVersion": 1, "pairs": [...]}, for one pair
too. Within a schemaVersion fields are only ever added.`,
		Args: cobra.MaximumNArgs(1),
	}, func(ctx context.Context, h *hand, args []string) error {
		switch output {
		case "table":
			return h.statusTable(ctx, args)
		case "json":
			return h.statusJSON(ctx, args)
		}
		return usagef("-o %s: use table or json", output)
	})
	command.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return command
}

// chosen reads the pair that args name, or all.
func (h *hand) chosen(ctx context.Context, args []string) ([]v1alpha1.TrafficSwitch, error) {
	if len(args) == 0 {
		return h.list(ctx)
	}
	t, err := h.get(ctx, args[0])
	if err != nil {
		return nil, err
	}
	return []v1alpha1.TrafficSwitch{*t}, nil
}

func (h *hand) statusJSON(ctx context.Context, args []string) error {
	objects, err := h.chosen(ctx, args)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(h.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(newReport(objects)); err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	return nil
}
