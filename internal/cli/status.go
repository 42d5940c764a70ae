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
		Args: atMostOnePair,
		PreRunE: func(*cobra.Command, []string) error {
			if output != "table" && output != "json" {
				return usagef("-o %s: use table or json", output)
			}
			return nil
		},
	}, func(ctx context.Context, h *hand, args []string) error {
		if output == "json" {
			return h.statusJSON(ctx, args)
		}
		return h.statusTable(ctx, args)
	})
	command.Flags().StringVarP(&output, "output", "o", "table", "the `format`: table or json")
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
	return h.printJSON(objects)
}

func (h *hand) printJSON(objects []v1alpha1.TrafficSwitch) error {
	encoder := json.NewEncoder(h.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(newReport(objects)); err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	return nil
}
