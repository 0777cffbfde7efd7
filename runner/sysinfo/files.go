// Package sysinfo tells what a machine is, and what it is doing.
//
// A Host is what it is made of. A Settler lets it come to rest before a repetition. Answer is what the agent says of
// all this on another machine.
package sysinfo

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/shirou/gopsutil/v4/common"
)

// Below has gopsutil read what is below another root directory.
func Below(root string) context.Context {
	if root == "/" {
		return context.Background()
	}
	return context.WithValue(context.Background(), common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: filepath.Join(root, "proc"), common.HostSysEnvKey: filepath.Join(root, "sys"),
		common.HostEtcEnvKey: filepath.Join(root, "etc")})
}

// Text is what a file of the kernel says, without space around it; empty where there is none.
func Text(path ...string) string {
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
