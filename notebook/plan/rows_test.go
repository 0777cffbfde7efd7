package plan

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// rowsArticle has an axis whose values are in files.
func rowsArticle(axis, run string) string {
	return text(block("name: e\ncalibrate: false\nmatrix: {framework: " + axis + "}\n" +
		"command: {image: x, run: [echo, '" + run + "']}\n"))
}

func TestAxesFromFiles(t *testing.T) {
	const port = "${{ matrix.framework }} ${{ matrix.framework.name }} ${{ matrix.framework.port }}"
	csv := map[string]string{"f.csv": "name,port\nactix,80\ngin,\n"}
	meta := map[string]string{"f/actix/meta.yaml": "port: 80\ntags: [rust]\n", "f/gin/meta.yaml": "name: Gin\nport: 81\n",
		"f/.hidden/meta.yaml": "port: 1\n", "f/empty/other.yaml": "port: 1\n"}
	tests := []struct {
		name, axis, run string
		files           map[string]string
		want            string
	}{
		{"CSV with a name", "{rows: f.csv}", port, csv, "actix actix 80|gin gin "},
		{"CSV without a name", "{rows: f.csv}", port, map[string]string{"f.csv": "id,port\na,80\nb,81\n"}, "a a 80|b b 81"},
		{"CSV with a column that is called as the axis", "{rows: f.csv}", "${{ matrix.framework }}",
			map[string]string{"f.csv": "framework,port\na,80\n"}, "a"},
		{"YAML", "{rows: f.yaml}", port, map[string]string{"f.yaml": "- {name: a, port: 80}\n- {name: b}\n"}, "a a 80|b b "},
		{"above the article", "{rows: ../../all.csv}", port, map[string]string{"../../all.csv": "name,port\na,80\n"}, "a a 80"},
		{"the profile in the path", "{rows: \"${{ profile }}.csv\"}", port,
			map[string]string{"full.csv": "name,port\na,80\n"}, "a a 80"},
		{"a template in a column", "{rows: f.csv}", port, map[string]string{"f.csv": "name,port\na,${{ profile }}\n"}, "a a full"},
		{"a file for each value", "{files: \"f/*/meta.yaml\"}", port, meta, "actix actix 80|Gin Gin 81"},
		{"files called as their values", "{files: \"f/*.yaml\"}", port,
			map[string]string{"f/a.yaml": "port: 80", "f/b.yaml": "port: 81"}, "a a 80|b b 81"},
		{"files above the article", "{files: \"../../f/*/m.yaml\"}", port, map[string]string{"../../f/a/m.yaml": "port: 80"},
			"a a 80"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := mustPlan(t, rowsArticle(test.axis, test.run), Options{}, test.files)
			var got []string
			for _, trial := range e.Trials {
				got = append(got, trial.Command.Run[1])
			}
			if strings.Join(got, "|") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// The article and the listings in it are enough.
func TestAxesFromListings(t *testing.T) {
	src := text("```yaml file=f/a/m.yaml\nport: 80\n```\n\n```csv file=f.csv\nname,x\nb,1\n```\n\n",
		block("name: e\ncalibrate: false\nmatrix: {one: {files: \"f/*/m.yaml\"}, two: {rows: f.csv}}\n"+
			"command: {image: x, run: 'echo ${{ matrix.one.port }} ${{ matrix.two.x }}'}\n"))
	e := mustPlan(t, src, Options{}, nil)
	if got := joined(e.Trials); got != "a, b" {
		t.Errorf("got %s", got)
	}
}

// A changed row makes its own trials stale, and no others.
func TestRowsAreInputsOfTheirTrials(t *testing.T) {
	for _, test := range []struct{ name, axis, file, before, after string }{
		{"CSV", "{rows: f.csv}", "f.csv", "name,port\na,1\nb,2\n", "name,port\na,1\nb,3\n"},
		{"files", "{files: \"f/*.yaml\"}", "f/b.yaml", "port: 2", "port: 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var keys [2][]string
			for i, content := range []string{test.before, test.after} {
				p := mustPlanAll(t, rowsArticle(test.axis, "${{ matrix.framework.port }}"), Options{},
					map[string]string{"f/a.yaml": "port: 1", test.file: content})
				for _, trial := range p.Experiments[0].Trials {
					keys[i] = append(keys[i], trial.Key)
				}
				if !strings.HasSuffix(strings.Join(p.Reads, " "), test.file) {
					t.Errorf("reads %v, without %s", p.Reads, test.file)
				}
			}
			if keys[0][0] != keys[1][0] || keys[0][1] == keys[1][1] {
				t.Errorf("keys before %v, after %v", keys[0], keys[1])
			}
		})
	}
}

func TestWrongAxesFromFiles(t *testing.T) {
	long := "name\n"
	for i := range maxRows + 1 {
		long += strconv.Itoa(i) + "\n"
	}
	tests := []struct {
		name, axis string
		files      map[string]string
		want       string // place, rule and a part of the message
	}{
		{"no file", "{rows: f.csv}", nil, "article.md:8 no-such-file"},
		{"no file above", "{rows: ../f.csv}", nil, "article.md:8 no-such-file"},
		{"another kind of file", "{rows: f.txt}", map[string]string{"f.txt": "a"}, "article.md:8 wrong-value"},
		{"outside the repository", "{rows: ../../../../../f.csv}", nil, "article.md:8 outside-folder"},
		{"a pattern outside the repository", "{files: \"../../../../*.yaml\"}", nil, "article.md:8 outside-folder"},
		{"an absolute pattern", "{files: \"/etc/*.yaml\"}", nil, "article.md:8 wrong-value"},
		{"no pattern", "{files: f.yaml}", nil, "article.md:8 wrong-value"},
		{"a broken pattern", "{files: \"[*.yaml\"}", nil, "article.md:8 wrong-value"},
		{"nothing matches", "{files: \"f/*.yaml\"}", nil, "article.md:8 no-such-file"},
		{"a folder matches", "{files: \"f/*\"}", map[string]string{"f/a/b.yaml": "x: 1"}, "article.md:8 not-a-file"},
		{"both", "{rows: f.csv, files: \"*.yaml\"}", nil, "article.md:8 contradiction"},
		{"neither", "{row: f.csv}", nil, "article.md:8 wrong-shape"},
		{"nothing", "{}", nil, "article.md:8 wrong-shape"},
		{"a list of files", "{rows: [f.csv]}", nil, "article.md:8 wrong-shape"},
		{"broken CSV", "{rows: f.csv}", map[string]string{"f.csv": "name,x\na,1\nb\n"}, "f.csv:3 bad-csv"},
		{"empty CSV", "{rows: f.csv}", map[string]string{"f.csv": ""}, "f.csv:1 bad-csv"},
		{"no rows", "{rows: f.csv}", map[string]string{"f.csv": "name\n"}, "article.md:8 empty-axis"},
		{"too many rows", "{rows: f.csv}", map[string]string{"f.csv": long}, "article.md:8 too-many"},
		{"the same row twice", "{rows: f.csv}", map[string]string{"f.csv": "name\na\na\n"}, "f.csv:3 duplicate-value"},
		{"a row without a name", "{rows: f.csv}", map[string]string{"f.csv": "id,x\na,1\n,2\n"}, "f.csv:3 missing-key"},
		{"a reserved column", "{rows: f.csv}", map[string]string{"f.csv": "name,unit\na,1\n"}, "f.csv:1 reserved-name"},
		{"a column with blanks", "{rows: f.csv}", map[string]string{"f.csv": "name,two words\na,1\n"}, "f.csv:1 bad-name"},
		{"rows that are no mappings", "{rows: f.yaml}", map[string]string{"f.yaml": "- [a]\n"}, "f.yaml:1 wrong-shape"},
		{"broken YAML", "{files: \"f/*.yaml\"}", map[string]string{"f/a.yaml": "x: 1\ny: [\n"}, "f/a.yaml:"},
		{"a list for a row", "{files: \"f/*.yaml\"}", map[string]string{"f/a.yaml": "- x\n"}, "f/a.yaml:1 wrong-shape"},
		{"a reserved key", "{files: \"f/*.yaml\"}", map[string]string{"f/a.yaml": "x: 1\nvalue: 2\n"},
			"f/a.yaml:2 reserved-name"},
		{"an unknown column", "{rows: f.csv}", map[string]string{"f.csv": "name,prt\na,1\n"}, "article.md:9 bad-expression"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := newPlan(t, rowsArticle(test.axis, "${{ matrix.framework.port }}"), Options{}, test.files)
			var got []string
			for _, problem := range problems {
				line, _ := problem.Pos.Source.Position(problem.Pos.Start)
				got = append(got, problem.Pos.Source.Path+":"+strconv.Itoa(line)+" "+problem.Rule+": "+problem.Message)
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// No link in the path of a row leads out of the repository.
func TestRowsStayInTheRepository(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "a.yaml"), "port: 1\n")
	write(t, filepath.Join(outside, "f.csv"), "name\nsecret\n")
	for _, axis := range []string{"{rows: ../../out/f.csv}", "{rows: out/f.csv}", "{files: \"../../out/*.yaml\"}",
		"{files: \"../../*/a.yaml\"}"} {
		root := t.TempDir()
		dir := filepath.Join(root, "experiments", "sample")
		write(t, filepath.Join(root, article.ProjectFile), "")
		write(t, filepath.Join(dir, "x"), "")
		link(t, outside, filepath.Join(root, "out"))
		link(t, outside, filepath.Join(dir, "out"))
		project, err := article.OpenProject(root)
		if err != nil {
			t.Fatal(err)
		}
		var problems source.Problems
		doc := article.Parse(dir, source.New("article.md", []byte(rowsArticle(axis, "x"))))
		p, err := New(project, doc, Options{}, &problems)
		if err != nil {
			t.Fatal(err)
		}
		if problems.Empty() || len(p.Experiments) > 0 {
			t.Errorf("%s: problems %v, experiments %v", axis, problems.Sorted(), p.Experiments)
		}
	}
}

// Whatever people write as an axis and into its files, planning ends, and problems lie in texts.
func FuzzRows(f *testing.F) {
	for _, seed := range [][2]string{{"{rows: f.csv}", "name,port\na,1\n"}, {"{rows: f.csv}", "\"a\nb\",\n"},
		{"{rows: f.yaml}", "- {name: a, port: ~}\n- [b]\n- c\n"}, {"{files: \"*.yaml\"}", "port: 1\nunavailable:\n"},
		{"{files: \"../*/f.yaml\"}", "{}"}, {"{files: \"[\"}", "a: {b: c}"}, {"{files: \"\\\\*\"}", "x"},
		{"{rows: f.csv, x-y: 1}", "name,${{ profile }}\n${{ matrix.a }},1\n"}, {"{rows: \"${{ profile\"}", "name,name\n"}} {
		f.Add(seed[0], seed[1])
	}
	root := f.TempDir()
	dir := filepath.Join(root, "experiments", "sample")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, article.ProjectFile), nil, 0o644); err != nil {
		f.Fatal(err)
	}
	project, err := article.OpenProject(root)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, axis, file string) {
		for _, name := range []string{"f.csv", "f.yaml"} {
			write(t, filepath.Join(dir, name), file)
		}
		doc := article.Parse(dir, source.New("article.md", []byte(rowsArticle(axis, "x"))))
		var problems source.Problems
		if _, err := New(project, doc, Options{}, &problems); err != nil {
			t.Fatal(err)
		}
		for _, problem := range problems.Sorted() {
			if at := problem.Pos; at.Source == nil || at.Start < 0 || at.End < at.Start || at.End > len(at.Source.Data) {
				t.Errorf("outside of any text: %v", problem)
			}
		}
	})
}
