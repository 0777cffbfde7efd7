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

// DockerWithBuildKit puts the first docker command that builds with BuildKit at the front of PATH. It skips the test if
// there is none, unless the variable BENCHBOOK_TEST_REQUIRE names buildkit.
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
		if major < 23 || exec.Command(docker, "buildx", "version").Run() == nil { // older versions need no plugin
			t.Setenv("PATH", folder+string(filepath.ListSeparator)+os.Getenv("PATH"))
			return
		}
	}
	slowtest.Missing(t, "buildkit", "install docker-buildx", errors.New("no docker command builds with BuildKit"))
}
