package starter

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// An article from a Compose file puts load on a service that is published before others, wherever the file lies.
func TestFromCompose(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a #1: b", "docker-compose.yml")
	const text = "services:\n  admin: {image: x, expose: ['9000'], privileged: true, gpus: all}\n  api: {image: x, ports: ['5432', '8080:81']}\n" +
		"  front: {image: x, expose: ['82'], depends_on: [api], secrets: [s]}\nsecrets: {s: {environment: API_TOKEN}}\n"
	must.Write(file, text)
	made := must.Get(From(dir, file, "/notes/"))
	assert.Contains(t, made.Text, "target: http://api:81/notes/ #", "services:\n  admin:\n    gpus: null # gpus is not "+
		"supported, and would change what is measured\n    privileged: null # privileged is not",
		`compose: {files: "../../a #1: b/docker-compose.yml", environment: [API_TOKEN]}`+"\n")
}

// An article from a Dockerfile names its folder and port, wherever it lies in the repository.
func TestFromDockerfile(t *testing.T) {
	dir := t.TempDir()
	must.Do(os.MkdirAll(filepath.Join(dir, ".git"), 0o755))
	must.Do(os.MkdirAll(filepath.Join(dir, "apps", "deep"), 0o755))
	must.Do(os.Symlink(filepath.Join("apps", "deep"), filepath.Join(dir, "link")))
	for _, tt := range []struct{ file, text, project, want string }{
		{"Dockerfile", "FROM x\nEXPOSE 5432 80\n", "", "    build: ../..\n    expose: [\"5432\", \"80\"]\nload:\n" +
			"  target: http://server/ #"},
		{"apps/b c/Dockerfile.dev", "FROM x\nEXPOSE 81\n", "bench", "    build:\n      context: \"../../../apps/b c\"\n" +
			"      dockerfile: Dockerfile.dev\n    expose: [\"81\"]\nload:\n  target: http://server:81/ #"},
		{"link/b c/Dockerfile.dev", "FROM x\nEXPOSE 81\n", "link/new", "      context: \"../../../b c\"\n"},
		{"none/Dockerfile", "FROM x\n", "", "none/Dockerfile exposes no port to put load on: add EXPOSE with the port"},
		{"db/Dockerfile", "FROM x\nEXPOSE 5432\n", "", "db/Dockerfile exposes no port to put load on"},
		{"half/Dockerfile", "FROM x\n\nFROM\n", "", "half/Dockerfile line 3: FROM requires either one or three arguments"},
		{"../Dockerfile", "FROM x\nEXPOSE 80\n", "", "is outside the repository of the project"},
	} {
		file := filepath.Join(dir, tt.file)
		must.Write(file, tt.text)
		made, err := From(filepath.Join(dir, tt.project), file, "/")
		got := fmt.Sprint(err)
		if err == nil {
			got = made.Text
		}
		assert.Contains(t, got, tt.want)
	}
}

func TestSlugOf(t *testing.T) {
	for folder, want := range map[string]string{"p1": "p1", "My App 2": "my-app-2", "2048_game-": "game", "42": "project"} {
		assert.Equal(t, slugOf(folder), want, "%q", folder)
	}
}
