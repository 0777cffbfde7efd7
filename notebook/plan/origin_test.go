package plan

import (
	"testing"
)

func TestOrigin(t *testing.T) {
	source := "---\ntitle: x\ndefaults: {repetitions: 8, load: {connections: 20}}\n---\n\n" +
		block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/}\nprofiles: {smoke: {load: {duration: 1s}}}\n")
	e := mustPlan(t, source, Options{Profile: "smoke", Repetitions: "2"},
		map[string]string{"benchbook.yaml": "defaults:\n  timeout: 1m\nprofiles:\n  smoke:\n    calibrate: false\n"})
	want := map[string]string{
		"repetitions": "--repetitions", "load.connections": "article.md:3", "load.target": "article.md:9",
		"load.method": "built in",
		"load.warmup": "built in", "timeout": "benchbook.yaml:2", "calibrate": "profile smoke, benchbook.yaml:5",
		"load.duration": "profile smoke, article.md:10", "services.s.image": "article.md:8",
		"load.timeout": "built in", "load.keepalive": "built in",
		"load.verify.before": "built in", "load.failures.max": "built in", "load.cpuset": "built in",
		"load.threads":           "built in",
		"services.s.healthcheck": "built in", "services.s.cpuset": "built in", "seed": "built in",
	}
	for key, from := range want {
		if got := e.Origin[key]; got != from {
			t.Errorf("%s is said to come from %q, want %q", key, got, from)
		}
	}
	for key := range e.Origin {
		if _, ok := want[key]; !ok {
			t.Errorf("where does %s come from? %q", key, e.Origin[key])
		}
	}
}
