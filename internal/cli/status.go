package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

func (p *program) statusCommand() *cobra.Command {
	var output string
	var watch bool
	command := p.handCommand(&cobra.Command{
		Use:   "status [PAIR]",
		Short: "Show where pairs stand, and why",
		Long: `Show where all pairs stand, or one of them with its gates, its question and the
rollback that was made. It is what the daemon last wrote down.

With --watch it goes on showing one pair: its shares over time, gates, probes,
and what would be if all users went back now. Without a terminal it writes a
line for each change. Colours follow NO_COLOR.

With -o json the output is {"schemaVersion": 1, "pairs": [...]}, for one pair
too. Within a schemaVersion fields are only ever added. -o yaml is the same.`,
		Args: atMostOnePair,
		PreRunE: func(_ *cobra.Command, args []string) error {
			switch {
			case output != "table" && output != "json" && output != "yaml":
				return usagef("-o %s: use table, json or yaml", output)
			case watch && len(args) == 0:
				return usageError{errWatchOne}
			case watch && output != "table":
				return usagef("--watch shows a view for people; for a program use kubectl --namespace clusterswitch get trafficswitch PAIR --watch -o json, or wait")
			}
			return nil
		},
	}, func(ctx context.Context, h *hand, args []string) error {
		switch {
		case watch:
			return h.watchPair(ctx, args[0])
		case output == "table":
			return h.statusTable(ctx, args)
		}
		return h.statusData(ctx, args, output)
	})
	asked := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		return p.unseen(command, args, asked(command, args))
	}
	command.Flags().StringVarP(&output, "output", "o", "table", "the `format`: table, json or yaml")
	command.Flags().BoolVarP(&watch, "watch", "w", false, "go on showing one pair until Ctrl-C")
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

func (h *hand) statusData(ctx context.Context, args []string, format string) error {
	objects, err := h.chosen(ctx, args)
	if err != nil {
		return err
	}
	return h.printReport(objects, format)
}

// printReport writes the report as json or yaml.
func (h *hand) printReport(objects []v1alpha1.TrafficSwitch, format string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(newReport(objects))
	out := text.Bytes()
	if err == nil && format == "yaml" {
		out, err = yaml.JSONToYAML(out)
	}
	if err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	_, _ = h.out.Write(out) // out keeps the error
	return nil
}
