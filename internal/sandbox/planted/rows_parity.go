package planted

import "context"

func parityRows() []row {
	return []row{
		{
			name: "a ConfigMap is missing in green", check: "parity", want: "MissingInGreen/ConfigMap/shop/legal-texts",
			plant: func(ctx context.Context, s *stage) error {
				return s.remove(ctx, green, ref{"v1", "ConfigMap", "shop", "legal-texts"})
			},
		},
	}
}
