package spec

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Service is a service to start. JSON has the keys of articles; files are represented by digests.
type Service struct {
	Name        string            `json:"name" yaml:"-"`
	Image       Image             `json:"image" yaml:",inline"`
	Entrypoint  []string          `json:"entrypoint,omitempty" as:"words"`      // nil: the image's
	Command     []string          `json:"command,omitempty" as:"words"`         // nil: the image's
	Environment []string          `json:"environment,omitempty" as:"variables"` // NAME=value, including those of env_file
	Expose      []int             `json:"expose,omitempty" as:"[]port"`         // TCP ports
	Configs     []File            `json:"configs,omitempty"`                    // copied in before the program starts
	Secrets     []SecretFile      `json:"secrets,omitempty"`                    // values are known only when it is started
	DependsOn   []string          `json:"depends_on,omitempty" as:"dependencies"`
	Conditions  map[string]string `json:"conditions,omitempty" yaml:"-"` // of DependsOn, if not to wait until it is ready
	Ready       Ready             `json:"ready,omitzero" yaml:"healthcheck"`
	WorkingDir  string            `json:"working_dir,omitempty"`
	User        string            `json:"user,omitempty"`
	CPUSet      string            `json:"cpuset,omitempty"`                // such as "0-1"; empty: the plan chooses
	Memory      int64             `json:"mem_limit,omitempty" as:"memory"` // bytes; 0: no limit
	PIDs        int64             `json:"pids_limit,omitempty"`            // limit of processes; 0: the engine's, -1: none
	ShmSize     int64             `json:"shm_size,omitempty" as:"memory"`  // bytes; 0: the engine's default
	Tmpfs       []string          `json:"tmpfs,omitempty"`                 // paths with options: "/run:size=64m"
	ReadOnly    bool              `json:"read_only,omitempty"`             // the root file system
	Init        bool              `json:"init,omitempty"`                  // run an init process that reaps zombies
	StopSignal  string            `json:"stop_signal,omitempty"`           // empty: the image's
	StopGrace   time.Duration     `json:"stop_grace_period,omitempty"`     // time before it is killed
	Hostname    string            `json:"hostname,omitempty"`
	CPUs        float64           `json:"cpus,omitempty"` // limit in cores, such as 0.5; 0: no limit
	Ulimits     map[string]Ulimit `json:"ulimits,omitempty" as:"ulimits"`
	Sysctls     map[string]string `json:"sysctls,omitempty" as:"variables"` // of its own namespaces
	CapAdd      []string          `json:"cap_add,omitempty"`
	CapDrop     []string          `json:"cap_drop,omitempty"`
	SecurityOpt []string          `json:"security_opt,omitempty"`
	Volumes     []Volume          `json:"volumes,omitempty"`
	Scale       int               `json:"scale,omitempty"` // number of containers; 0 means 1
	Origin      *HTTPOrigin       `json:"origin,omitempty"`
	Link        *Link             `json:"link,omitempty"`

	EnvFile []string `json:"-" yaml:"env_file"`

	// Completes says that other services wait until this one has exited successfully.
	Completes bool `json:"-"`
	// NoImageHealthcheck disables the healthcheck of the image.
	NoImageHealthcheck bool `json:"-"`
	// HealthyByImage says that others wait until this service is healthy, and only its image may have a healthcheck.
	HealthyByImage bool `json:"-"`
}

// NeedsContainer returns the keys in use that need a container, sorted.
func (s *Service) NeedsContainer() []string {
	asked := map[string]bool{
		"user": s.User != "", "cpus": s.CPUs > 0, "mem_limit": s.Memory > 0, "pids_limit": s.PIDs > 0,
		"shm_size": s.ShmSize > 0, "tmpfs": len(s.Tmpfs) > 0, "read_only": s.ReadOnly, "init": s.Init,
		"hostname": s.Hostname != "", "sysctls": len(s.Sysctls) > 0, "cap_add": len(s.CapAdd) > 0,
		"cap_drop": len(s.CapDrop) > 0, "security_opt": len(s.SecurityOpt) > 0, "volumes": len(s.Volumes) > 0,
		"ulimits": len(s.Ulimits) > 0, "link": s.Link != nil,
	}
	maps.DeleteFunc(asked, func(_ string, is bool) bool { return !is })
	return slices.Sorted(maps.Keys(asked))
}

// Image is the name of an image, a build, or a program of this machine. An origin has none of them.
type Image struct {
	Name    string `json:"name,omitempty" yaml:"image"`
	Build   *Build `json:"build,omitempty"`
	Machine bool   `json:"machine,omitempty" yaml:"-"`
}

// Build is an image, or programs of this machine, to build from a context.
type Build struct {
	Files      []File            `json:"files" yaml:"-"`
	Dockerfile string            `json:"dockerfile" not:"dockerfile_inline"`
	Args       map[string]string `json:"args,omitempty" as:"variables"`
	Target     string            `json:"target,omitempty"`
	Network    string            `json:"network,omitempty" as:"network"` // of RUN instructions: NoNetwork or empty
	// shell script that builds programs of this machine
	Run  string   `json:"run,omitempty" not:"dockerfile dockerfile_inline target network args"`
	Keep []string `json:"keep,omitempty"` // paths that Run makes and that are kept; empty: the whole folder

	Context string `json:"-" yaml:"context" alone:"yes"`
	Git     string `json:"-" yaml:"git"`               // revision that Context is read from
	Inline  string `json:"-" yaml:"dockerfile_inline"` // the Dockerfile as a text
}

// OnMachine reports whether the program runs on this machine, without a container.
func (i Image) OnMachine() bool { return i.Machine || i.Build != nil && i.Build.Run != "" }

// NoNetwork is the network of a build without any.
const NoNetwork = "none"

// Inputs returns a text that identifies all inputs of a build.
func (b *Build) Inputs() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%q %q %q\n", b.Dockerfile, b.Target, b.Args)
	if b.Network != "" {
		fmt.Fprintf(&out, "network %q\n", b.Network)
	}
	if b.Run != "" {
		fmt.Fprintf(&out, "run %q %q\n", b.Run, b.Keep)
	}
	for _, f := range b.Files {
		if f.Digest == "" { // not from an article
			f.Digest = fmt.Sprintf("%x", sha256.Sum256(f.Data))
		}
		fmt.Fprintf(&out, "%q %s %v\n", f.Path, f.Digest, f.Exec)
	}
	return out.String()
}

// File is a file and its contents.
type File struct {
	Path   string `json:"path" yaml:"target" need:"write {source: FILE, target: /PATH/IN/THE/CONTAINER}"`
	Digest string `json:"digest" yaml:"-"`
	Exec   bool   `json:"exec,omitempty" yaml:"-"`
	Data   []byte `json:"-"`

	Source string `json:"-" yaml:"source" need:"write {source: FILE, target: /PATH/IN/THE/CONTAINER}"`
}

// SecretFile is a secret that a service gets as a file. Its content is never recorded.
type SecretFile struct {
	Name   string `json:"name" yaml:"source" alone:"yes" need:"write {source: NAME, target: /PATH/IN/THE/CONTAINER}"`
	Target string `json:"target"` // below SecretsDir unless it is absolute
}

// secretName matches names of variables that usually hold secrets.
var secretName = regexp.MustCompile(
	`(?i)(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|(ACCESS|PRIVATE|SECRET)_?KEY)$|(^|_)(PASS|PWD)$`)

// IsSecretName reports whether a variable with this name usually holds a secret.
func IsSecretName(name string) bool { return name != "PWD" && secretName.MatchString(name) }

// SecretsDir is the folder of secrets in a container, as in Compose.
const SecretsDir = "/run/secrets"

// Mode returns the permissions of the file in a container.
func (f File) Mode() fs.FileMode {
	if f.Exec {
		return 0o755
	}
	return 0o644
}

// Ready says when a service is ready: when the test in HTTP, Port, Log or Command passes; without one, when every
// exposed port accepts connections. The other fields are those of a Compose healthcheck, 0 if not written. If all of
// them are 0, the service is probed as often as possible, for a minute. Otherwise those that are 0 have the defaults of
// Compose, except for the pace of probes.
type Ready struct {
	HTTP          string        `json:"http,omitempty" yaml:"-"`    // path on the first exposed port; status below 400
	Port          int           `json:"port,omitempty" yaml:"-"`    // TCP port that must accept connections
	Log           string        `json:"log,omitempty" yaml:"-"`     // text that must be in the log,
	Times         int           `json:"times,omitempty" yaml:"-"`   // this many times (0 is once)
	Command       []string      `json:"command,omitempty" yaml:"-"` // run in the service; must exit with 0
	Interval      time.Duration `json:"interval,omitempty"`         // failed probes in an interval count once
	Timeout       time.Duration `json:"timeout,omitempty"`          // of one probe
	Retries       int           `json:"retries,omitempty"`          // failed probes in a row until the service has failed
	StartPeriod   time.Duration `json:"start_period,omitempty"`     // failed probes do not count in this time
	StartInterval time.Duration `json:"start_interval,omitempty"`   // between probes in StartPeriod

	Test    []string `json:"-" yaml:"test"` // the fields above are read from it
	Disable bool     `json:"-" yaml:"disable"`
}

// Or returns r with missing fields taken from image, the healthcheck of the service's image, as Docker does.
func (r Ready) Or(image Ready) Ready {
	if !r.HasNoTest() || image.HasNoTest() {
		return r
	}
	return Ready{Command: image.Command, Interval: cmp.Or(r.Interval, image.Interval),
		Timeout: cmp.Or(r.Timeout, image.Timeout), Retries: cmp.Or(r.Retries, image.Retries),
		StartPeriod: cmp.Or(r.StartPeriod, image.StartPeriod), StartInterval: cmp.Or(r.StartInterval, image.StartInterval)}
}

// HasNoTest reports whether no test is written, so that exposed ports or the image's healthcheck decide.
func (r Ready) HasNoTest() bool {
	return r.HTTP == "" && r.Port == 0 && r.Log == "" && len(r.Command) == 0
}

// IsTimed reports whether the article sets any time or number of the healthcheck.
func (r Ready) IsTimed() bool {
	return r.Interval > 0 || r.Timeout > 0 || r.Retries > 0 || r.StartPeriod > 0 || r.StartInterval > 0
}

// Ulimit is a limit of a container's processes; -1: unlimited.
type Ulimit struct {
	Soft int `json:"soft"`
	Hard int `json:"hard"`
}

// The values of Conditions. A service is healthy when it is ready.
const (
	ServiceStarted   = "service_started"
	ServiceHealthy   = "service_healthy"
	ServiceCompleted = "service_completed_successfully"
)

// The types of volumes.
const (
	BindVolume  = "bind"
	NamedVolume = "volume"
	TmpfsVolume = "tmpfs"
)

// Volume is a place in a container outside its image. Without a name, only one container has it. It begins with what
// the image of its first container has there.
type Volume struct {
	Type     string `json:"type" as:"volume"` // empty: NamedVolume
	Source   string `json:"source,omitempty"` // bind: path relative to the article's folder, or absolute; volume: a name
	Target   string `json:"target" need:"add target: with a path in the container"`
	ReadOnly bool   `json:"read_only,omitempty"`
	Files    []File `json:"files,omitempty" yaml:"-"` // of a bind inside the article's folder
	Tmpfs    `yaml:"tmpfs"`

	// Single says that Files is one file at Target, not a folder.
	Single bool `json:"-"`
	// Host is the absolute path of Source on this machine, for a bind outside the article's folder.
	Host string `json:"-"`
}

// Tmpfs has the options of a volume of type tmpfs.
type Tmpfs struct {
	Size int64 `json:"size,omitempty" as:"memory"` // bytes; 0: no limit
}

// Name returns the name of a volume that services share; empty for other volumes.
func (v Volume) Name() string {
	if v.Type != BindVolume && v.Type != TmpfsVolume {
		return v.Source
	}
	return ""
}

// HasFiles reports whether the volume consists of Files, which are copied.
func (v Volume) HasFiles() bool { return v.Type == BindVolume && v.Host == "" }

// HTTPOrigin is benchbook's HTTP server, on port 80.
type HTTPOrigin struct {
	Latency `yaml:"latency"`
	Body    int64 `json:"body,omitempty" as:"size"` // bytes
	Status  int   `json:"status" yaml:"-"`          // always 200; kept because old keys contain it
}

// Latency is the time that an origin takes to answer; 0 without a distribution.
type Latency struct {
	Distribution string        `json:"distribution,omitempty" as:"distribution" need:"write latency: {distribution: constant, value: 5ms}"`
	Value        time.Duration `json:"value,omitempty"`
	Median       time.Duration `json:"median,omitempty"`
	Sigma        float64       `json:"sigma,omitempty"` // standard deviation of the logarithm, without unit
}

// Link is benchbook's relay before a service, which adds a network delay.
type Link struct {
	RTT time.Duration `json:"rtt,omitempty"`
}
