package engine

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestOwnerAlive(t *testing.T) {
	self := Owner()
	part := strings.Split(self, ".")
	if len(part) != 4 {
		t.Fatalf("Owner() = %q, want MACHINE.BOOT.PID.START", self)
	}
	ended := exec.Command("true")
	must.Do(ended.Run())
	with := func(i int, value string) string {
		p := append([]string(nil), part...)
		p[i] = value
		return strings.Join(p, ".")
	}
	for _, tt := range []struct {
		name, owner  string
		alive, known bool
	}{
		{"this process", self, true, true},
		{"a process that has ended", with(2, fmt.Sprint(ended.Process.Pid)), false, true},
		{"an earlier process with our number", with(3, "1"), false, true},
		{"a process before the last boot", with(1, "abc"), false, true},
		{"a process of another machine", with(0, "abc"), false, false},
		{"a start time that was not known", with(3, "unknown"), false, false},
		{"a PID that is not a number", with(2, "x"), false, false},
		{"nothing", "", false, false},
		{"a word of another program", "root", false, false},
		{"a process whose keeper lives", with(3, "1") + "@" + self, true, true},
		{"a process whose keeper may live", with(3, "1") + "@" + with(0, "abc"), false, false},
		{"a process whose keeper has ended", with(3, "1") + "@" + with(3, "2"), false, true},
		{"a process that outlives its keeper", self + "@" + with(3, "2"), true, true},
	} {
		alive, known := OwnerAlive(tt.owner)
		if alive != tt.alive || known != tt.known {
			t.Errorf("%s: OwnerAlive(%q) = %v, %v, want %v, %v", tt.name, tt.owner, alive, known, tt.alive, tt.known)
		}
	}
}

// While the keeper of a dead process lives, only processes with the same keeper find it dead.
func TestOwnerWithKeeper(t *testing.T) {
	keeper := Owner()
	t.Setenv(KeeperVariable, keeper)
	self := Owner()
	assert.Equal(t, self, keeper+"@"+keeper, "Owner() with its keeper")
	dead := keeper[:strings.LastIndex(keeper, ".")] + ".1@" + keeper
	for _, tt := range []struct {
		name, keeper string
		alive        bool
	}{{"of the same keeper", keeper, false}, {"of another keeper", dead, true}, {"of none", "", true}} {
		t.Setenv(KeeperVariable, tt.keeper)
		if alive, known := OwnerAlive(dead); alive != tt.alive || !known {
			t.Errorf("for a process %s OwnerAlive = %v, %v, want %v, true", tt.name, alive, known, tt.alive)
		}
		if alive, known := OwnerAlive(self); !alive || !known {
			t.Errorf("for a process %s, one that lives is taken for dead", tt.name)
		}
	}
}

func TestOwnerHidesMachineID(t *testing.T) {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		t.Skip("this machine has no /etc/machine-id")
	}
	assert.Lacks(t, Owner(), strings.TrimSpace(string(id)))
}
