package enginetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"benchbook/internal/slowtest"
)

// DockerWithBuildKit makes the first docker command of PATH that builds with BuildKit the one that is found. The test
// is skipped where there is none, unless the variable BENCHBOOK_TEST_REQUIRE names buildkit.
func DockerWithBuildKit(t *testing.T) {
	t.Helper()
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		docker := filepath.Join(folder, "docker")
		version, err := exec.Command(docker, "version", "--format", "{{.Client.Version}}").Output()
		if err != nil {
			continue
		}
		var major int
		_, _ = fmt.Sscanf(string(version), "%d.", &major)
		if major < 23 || exec.Command(docker, "buildx", "version").Run() == nil { // before, it had no need of a plugin
			t.Setenv("PATH", folder+string(filepath.ListSeparator)+os.Getenv("PATH"))
			return
		}
	}
	slowtest.Missing(t, "buildkit", "install docker-buildx", errors.New("no docker command builds with BuildKit"))
}
