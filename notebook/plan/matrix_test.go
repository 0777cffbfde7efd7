package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

// A matrix has these cells, each with its name, parameters and labels, and the words that it echoes.
func TestCells(t *testing.T) {
	const (
		command  = "name: e\ncalibrate: false\ncommand: {image: x, run: [echo, "
		plain    = "name: e\ncalibrate: false\ncommand: {image: x, run: echo}\nmatrix: "
		port     = command + "'${{ matrix.f }} ${{ matrix.f.name }} ${{ matrix.f.port }}']}\nmatrix: {f: "
		word     = command + "'${{ matrix.word }}']}\nmatrix: {include: "
		reversed = "---\ntitle: x\n---\n\n```yaml experiment\nname: e\ncommand: {image: x, run: echo}\ncalibrate: false\n" +
			"matrix: {a: [1], b: [2]}\nprofiles: {smoke: {matrix: {a: [3], c: [4]}}}\n```\n" +
			"```yaml experiment\nname: more\nextends: e\nmatrix: {c: [5], a: [6]}\n```\n"
		removed = "---\ntitle: x\n---\n\n```yaml experiment\nname: e\ncommand: {image: x, run: echo}\ncalibrate: false\n" +
			"matrix: {a: [1, 2], b: [x, y]}\nprofiles: {quick: {matrix: {b: null}}}\n```\n" +
			"```yaml experiment\nname: more\nextends: e\nmatrix: {b: null}\n" +
			"profiles: {quick: {matrix: {a: null, c: [z]}}}\n```\n"
	)
	for _, tt := range []struct{ name, text, want string }{
		{"no matrix", "name: e\ncommand: {image: x, run: echo}", "e [] []"},
		{"one axis", plain + "{a: [1, 2]}", "1 [{a 1}] []; 2 [{a 2}] []"},
		{"two axes", plain + "{a: [1, 2], b: [x, y]}",
			"1, x [{a 1} {b x}] []; 1, y [{a 1} {b y}] []; 2, x [{a 2} {b x}] []; 2, y [{a 2} {b y}] []"},
		{"exclude", plain + "{a: [1, 2], b: [x, y], exclude: [{a: 1, b: y}]}",
			"1, x [{a 1} {b x}] []; 2, x [{a 2} {b x}] []; 2, y [{a 2} {b y}] []"},
		{"exclude by one axis", plain + "{a: [1, 2], b: [x, y], exclude: [{a: 1}]}",
			"2, x [{a 2} {b x}] []; 2, y [{a 2} {b y}] []"},
		{"named values", plain + "{a: [{name: p, port: 1}, {name: q, port: 2}]}", "p [{a p}] [{port 1}]; q [{a q}] [{port 2}]"},
		{"include only", plain + "{include: [{a: 1, b: x}, {a: 2, b: y}]}", "1, x [{a 1} {b x}] []; 2, y [{a 2} {b y}] []"},
		{"a name identifies a row", plain + "{include: [{name: one, b: x}, {name: two, b: y}]}",
			"one [{name one}] [{b x}]; two [{name two}] [{b y}]"},
		{"include extends what it fits", plain + "{a: [1, 2], include: [{a: 2, colour: red}]}",
			"1 [{a 1}] []; 2 [{a 2}] [{colour red}]"},
		{"include that fits none", plain + "{a: [1, 2], include: [{a: 3, colour: red}]}",
			"1 [{a 1}] []; 2 [{a 2}] []; 3, red [{a 3} {colour red}] []"},
		{"include without an axis extends all", plain + "{a: [1, 2], include: [{colour: red}]}",
			"1 [{a 1}] [{colour red}]; 2 [{a 2}] [{colour red}]"},
		{"include by a label extends what has it",
			plain + "{a: [{name: p, port: 1}, {name: q, port: 2}], include: [{port: 1, colour: red}]}",
			"p [{a p}] [{port 1} {colour red}]; q [{a q}] [{port 2}]"},
		{"a row that contradicts a label is one of its own", plain + "{a: [{name: p, port: 1}], include: [{a: p, port: 2}]}",
			"p [{a p}] [{port 1}]; p, 2 [{a p} {port 2}] []"},
		{"a row does not extend a row", plain + "{a: [1], include: [{a: 2}, {a: 2, colour: red}]}",
			"1 [{a 1}] []; 2 [{a 2}] []; 2, red [{a 2} {colour red}] []"},
		{"a row of its own has the labels of its axis", command + "'${{ matrix.a.port }} ${{ matrix.a.name }}']}\n" +
			"matrix: {a: [{name: p, port: 1}], include: [{a: q, port: 2}]}",
			"p [{a p}] [{port 1}]: 1 p; q, 2 [{a q} {port 2}] []: 2 q"},
		{"the profile in values", plain + "{a: ['${{ profile }}-1', 2]}", "full-1 [{a full-1}] []; 2 [{a 2}] []"},
		{"labels of axes stay", command + "'${{ matrix.a.port }} ${{ matrix.port }}']}\n" +
			"matrix: {a: [{name: p, port: 1}, {name: q, port: 2}], include: [{port: 1, colour: red}]}",
			"p [{a p}] [{port 1} {colour red}]: 1 1; q [{a q}] [{port 2}]: 2 2"},
		{"labels of include reach templates", command + "'${{ matrix.colour }}']}\n" +
			"matrix: {a: [1, {name: two, word: deux}], include: [{a: 1, colour: red}, {a: two, colour: blue}]}",
			"1 [{a 1}] [{colour red}]: red; two [{a two}] [{word deux} {colour blue}]: blue"},
		{"templates in the matrix", "name: e\ncalibrate: false\nservices: {s: {image: x, expose: ['80']}}\n" +
			"command: {service: s, run: 'echo ${{ matrix.start.how }}'}\n" +
			"matrix: {n: [4], start: [{name: one, how: '-w ${{ matrix.n }} -p ${{ services.s.port }} ${{ profile }}'}]}",
			"4, one [{n 4} {start one}] [{how -w ${{ matrix.n }} -p ${{ services.s.port }} full}]: -w 4 -p 80 full"},
		{"axes keep their order", reversed, "1, 2 [{a 1} {b 2}] []; 6, 2, 5 [{a 6} {b 2} {c 5}] []"},
		{"axes keep their order in a profile", reversed + "-- profile --\nsmoke",
			"3, 2, 4 [{a 3} {b 2} {c 4}] []; 3, 2, 4 [{a 3} {b 2} {c 4}] []"},
		{"null removes an axis", removed, "1, x [{a 1} {b x}] []; 1, y [{a 1} {b y}] []; 2, x [{a 2} {b x}] []; " +
			"2, y [{a 2} {b y}] []; 1 [{a 1}] []; 2 [{a 2}] []"},
		{"null removes an axis in a profile", removed + "-- profile --\nquick", "1 [{a 1}] []; 2 [{a 2}] []; z [{c z}] []"},
		{"null removes rows", strings.NewReplacer("b: [x, y]", "exclude: [{a: 1}], include: [{a: 3}]",
			"{b: null}\n", "{exclude: null, include: null}\n").Replace(removed),
			"2 [{a 2}] []; 3 [{a 3}] []; 1 [{a 1}] []; 2 [{a 2}] []"},

		{"CSV with a name", port + "{rows: f.csv}}\n-- f.csv --\nname,port\nactix,80\ngin,",
			"actix [{f actix}] [{port 80}]: actix actix 80; gin [{f gin}] [{port }]: gin gin "},
		{"CSV without a name", port + "{rows: f.csv}}\n-- f.csv --\nid,port\na,80\nb,81",
			"a [{f a}] [{id a} {port 80}]: a a 80; b [{f b}] [{id b} {port 81}]: b b 81"},
		{"CSV with a column that is called as the axis", plain + "{f: {rows: f.csv}}\n-- f.csv --\nf,port\na,80",
			"a [{f a}] [{port 80}]"},
		{"YAML", port + "{rows: f.yaml}}\n-- f.yaml --\n- {name: a, port: 80}\n- {name: b}",
			"a [{f a}] [{port 80}]: a a 80; b [{f b}] [{port }]: b b "},
		{"a file above the article", port + "{rows: ../../all.csv}}\n-- ../../all.csv --\nname,port\na,80",
			"a [{f a}] [{port 80}]: a a 80"},
		{"the profile in the path", port + "{rows: \"${{ profile }}.csv\"}}\n-- full.csv --\nname,port\na,80",
			"a [{f a}] [{port 80}]: a a 80"},
		{"a template in a column", port + "{rows: f.csv}}\n-- f.csv --\nname,port\na,${{ profile }}",
			"a [{f a}] [{port full}]: a a full"},
		{"a file for each value", port + "{files: \"f/*/meta.yaml\"}}\n-- f/.hidden/meta.yaml --\nport: 1\n" +
			"-- f/actix/meta.yaml --\nport: 80\ntags: [rust]\n-- f/empty/other.yaml --\nport: 1\n" +
			"-- f/gin/meta.yaml --\nname: Gin\nport: 81",
			"actix [{f actix}] [{port 80}]: actix actix 80; Gin [{f Gin}] [{port 81}]: Gin Gin 81"},
		{"files called as their values", port + "{files: \"f/*.yaml\"}}\n-- f/a.yaml --\nport: 80\n-- f/b.yaml --\nport: 81",
			"a [{f a}] [{port 80}]: a a 80; b [{f b}] [{port 81}]: b b 81"},
		{"files above the article", port + "{files: \"../../f/*/m.yaml\"}}\n-- ../../f/a/m.yaml --\nport: 80",
			"a [{f a}] [{port 80}]: a a 80"},
		{"files that are listings", "---\ntitle: x\n---\n\n```yaml file=f/a/m.yaml\nport: 80\n```\n\n```csv file=f.csv\n" +
			"name,x\nb,1\n```\n\n```yaml experiment\nname: e\ncalibrate: false\n" +
			"matrix: {one: {files: \"f/*/m.yaml\"}, two: {rows: f.csv}}\n" +
			"command: {image: x, run: 'echo ${{ matrix.one.port }} ${{ matrix.two.x }}'}\n```\n",
			"a, b [{one a} {two b}] [{port 80} {x 1}]: 80 1"},
		{"include of CSV", word + "rows.csv}\n-- rows.csv --\nname,word\none,\"un, un\"\ntwo,deux",
			"one [{name one}] [{word un, un}]: un, un; two [{name two}] [{word deux}]: deux"},
		{"include of YAML", word + "rows.yaml}\n-- rows.yaml --\n- {name: one, word: 'un, un'}\n- {name: two, word: deux}",
			"one [{name one}] [{word un, un}]: un, un; two [{name two}] [{word deux}]: deux"},
		{"include of a listing", "---\ntitle: x\n---\n\n```csv file=rows.csv\nname,word\none,\"un, un\"\n```\n\n" +
			"```yaml experiment\n" + word + "rows.csv}\n```\n", "one [{name one}] [{word un, un}]: un, un"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, problems, _ := newCase(tt.text).plan(t)
			assert.None(t, problems.Sorted())
			var got []string
			for _, e := range p.Experiments {
				for _, trial := range e.Trials {
					cell := fmt.Sprint(trial.Name, " ", trial.Parameters, " ", trial.Labels)
					if run := trial.Command.Run; len(run) > 1 {
						cell += ": " + strings.Join(run[1:], " ")
					}
					if !trial.Calibration {
						got = append(got, cell)
					}
				}
			}
			assert.Equal(t, strings.Join(got, "; "), tt.want)
		})
	}
}

// Large matrices from small texts are refused before they are made.
func TestExpandedSizes(t *testing.T) {
	var rows, axes, variables strings.Builder
	for i := range 9_000 {
		fmt.Fprintf(&rows, "- {k%d: x}\n", i)
	}
	for _, axis := range "abcd" {
		fmt.Fprintf(&axes, "%c: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], ", axis)
		fmt.Fprintf(&variables, "V%c: '${{ matrix.p.big }}', ", axis)
	}
	for text, want := range map[string]string{
		"name: e\ncommand: {image: x, run: echo}\nmatrix: {a: {rows: r.yaml}}\n-- r.yaml --\n" + rows.String(): "too-many",
		"name: e\ncommand: {image: x, run: echo, environment: {" + variables.String() + "}}\nrepetitions: 1\nmatrix: {" +
			axes.String() + "p: [{name: p, big: " + strings.Repeat("x", 90_000) + "}]}\n": "too-large",
	} {
		_, problems, _ := newCase(text).plan(t)
		if found := problems.Sorted(); len(found) == 0 || found[0].Rule != want {
			t.Errorf("%.60q: problems %.300v, want %s", text, found, want)
		}
	}
}
