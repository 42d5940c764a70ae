package config

import "strings"

// longestWord is the length beyond which a word is not a misspelt key, and comparing would take long.
const longestWord = 40

// nearest returns the known word that a person most likely meant by word, or "" when none is near.
func nearest(word string, known []string) string {
	if len(word) > longestWord {
		return ""
	}
	limit := max(1, min(len(word)/3, 3))
	best, found := limit+1, ""
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < best {
			best, found = d, k
		}
	}
	return found
}

// distance counts the letters to insert, delete or replace to get from a to b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
