package kubernetes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/docker/go-units"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/cluster/inpod"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

const (
	maxFiles       = 1<<20 - 16<<10 // bytes of files in a ConfigMap, whose limit is a mebibyte in total
	nobody         = int64(65534)
	claimLabel     = "claim.benchbook/" // followed by the ID of a named volume of the pod
	portRangeStart = "net.ipv4.ip_unprivileged_port_start"
)

var podMount = corev1.VolumeMount{Name: "benchbook", MountPath: podFolder}

// podSpec is a pod under construction.
type podSpec struct {
	engine   *Engine
	service  engine.Service
	pod      *corev1.Pod
	main     corev1.Container
	init     []corev1.Container
	fill     inpod.Filling
	fills    []corev1.VolumeMount // mounts of volumes to fill
	files    []*corev1.ConfigMap
	claims   []wantedClaim
	affinity corev1.Affinity
}

// wantedClaim is a named volume of a service.
type wantedClaim struct {
	name, target string
	readOnly     bool
}

// literal escapes text to keep the cluster from expanding $(NAME).
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// describe returns the pod of a service, without its named volumes.
func (e *Engine) describe(ctx context.Context, s engine.Service) (*podSpec, error) {
	if s.Host != "" && s.Host != ServiceHost && s.Host != LoadHost {
		return nil, engine.Refuse(s.Name, "the engine kubernetes chooses nodes by their labels, and has no host %q", s.Host)
	}
	if s.PIDs != 0 {
		return nil, engine.Refuse(s.Name, "the engine kubernetes cannot limit the processes of a container: remove "+
			"pids_limit, and set podPidsLimit of the kubelets")
	}
	own, err := e.podImage(ctx)
	if err != nil {
		return nil, err
	}
	p := &podSpec{engine: e, service: s, pod: e.podOf(s)}
	p.main = corev1.Container{Name: mainContainer, Image: s.Image.Reference, ImagePullPolicy: corev1.PullIfNotPresent,
		WorkingDir: s.WorkingDir, SecurityContext: &corev1.SecurityContext{}, VolumeMounts: []corev1.VolumeMount{podMount}}
	if err := cmp.Or(p.setCommand(), p.setUser(), p.secure(), p.limit()); err != nil {
		return nil, err
	}
	p.pod.Spec.Volumes = []corev1.Volume{{Name: podMount.Name, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	p.addInit("program", own.Reference, "/"+inpod.Name, inpod.Filling{Copies: []inpod.Copy{{From: "/" + inpod.Name,
		To: podProgram}}}, podMount)
	if err := p.addFiles(ctx); err != nil {
		return nil, err
	}
	for _, mount := range s.Tmpfs {
		if err := p.addTmpfs(mount); err != nil {
			return nil, err
		}
	}
	if s.ShmSize > 0 {
		p.mount(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory,
			SizeLimit: resource.NewQuantity(s.ShmSize, resource.BinarySI)}}, "/dev/shm", false)
	}
	return p, p.addVolumes()
}

// podOf returns the pod of a service, without containers and volumes.
func (e *Engine) podOf(s engine.Service) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: objectName(s.Name),
		Labels: map[string]string{engine.LabelService: labelValue(s.Name)}}}
	pod.Spec = corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: new(int64(1)),
		AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false), Hostname: s.Hostname,
		NodeSelector: e.options.ServiceNodes, SecurityContext: &corev1.PodSecurityContext{},
	}
	if s.Host == LoadHost {
		pod.Spec.NodeSelector = e.options.LoadNodes
	}
	if s.Init { // the first process of the pod reaps processes of all its containers
		pod.Spec.ShareProcessNamespace = new(true)
	}
	// Give up pods within seconds after their node was lost.
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{Key: taint, Operator: corev1.TolerationOpExists,
			Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(5))})
	}
	sysctls := map[string]string{machine.PortRange: machine.AllPorts}
	if s.Ours {
		sysctls[portRangeStart] = "0"
	}
	maps.Copy(sysctls, s.Sysctls)
	for _, name := range slices.Sorted(maps.Keys(sysctls)) {
		pod.Spec.SecurityContext.Sysctls = append(pod.Spec.SecurityContext.Sysctls,
			corev1.Sysctl{Name: name, Value: sysctls[name]})
	}
	return pod
}

// setCommand sets the command and its environment. Kubernetes has no ulimits, so our program sets them and execs the
// command.
func (p *podSpec) setCommand() error {
	s := p.service
	image, ok := p.engine.images.Load(s.Image.Reference)
	if !ok {
		return fmt.Errorf("image %s was not prepared for Kubernetes", s.Image.Reference)
	}
	command := commandOf(image.(pushedImage).config, s.Entrypoint, s.Command)
	if len(command) == 0 {
		return engine.Refuse(s.Name, "its image has no command, and none was given")
	}
	if len(s.Ulimits) > 0 {
		deed := inpod.Deed{Args: command}
		for _, name := range slices.Sorted(maps.Keys(s.Ulimits)) {
			limit := s.Ulimits[name]
			deed.Ulimits = append(deed.Ulimits, units.Ulimit{Name: name, Soft: int64(limit.Soft), Hard: int64(limit.Hard)})
		}
		command = act(inpod.Do, deed)
	}
	for _, word := range command {
		p.main.Command = append(p.main.Command, literal(word))
	}
	names, values := engine.Variables(s.Environment)
	for _, name := range names {
		p.main.Env = append(p.main.Env, corev1.EnvVar{Name: name, Value: literal(values[name])})
	}
	return nil
}

// setUser sets the user of a service. Kubernetes accepts only numeric users.
func (p *podSpec) setUser() error {
	if p.service.User == "" {
		return nil
	}
	security := p.main.SecurityContext
	user, group, hasGroup := strings.Cut(p.service.User, ":")
	uid, err := strconv.ParseInt(user, 10, 64)
	security.RunAsUser = &uid
	if hasGroup {
		gid, groupErr := strconv.ParseInt(group, 10, 64)
		security.RunAsGroup, err = &gid, cmp.Or(err, groupErr)
	}
	if err != nil {
		return engine.Refuse(p.service.Name, "user %q: Kubernetes knows users by their numbers only: write them, such as "+
			"1000:1000", p.service.User)
	}
	return nil
}

// secure sets the capabilities and security options, and refuses options that Kubernetes lacks.
func (p *podSpec) secure() error {
	s, security := p.service, p.main.SecurityContext
	if s.Ours {
		*security = corev1.SecurityContext{RunAsUser: new(nobody), RunAsGroup: new(nobody), RunAsNonRoot: new(true),
			ReadOnlyRootFilesystem: new(true), AllowPrivilegeEscalation: new(false),
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
		return nil
	}
	if s.ReadOnly {
		security.ReadOnlyRootFilesystem = new(true)
	}
	capabilities := func(names []string) (out []corev1.Capability) {
		for _, name := range names {
			out = append(out, corev1.Capability(strings.TrimPrefix(strings.ToUpper(name), "CAP_")))
		}
		return out
	}
	security.Capabilities = &corev1.Capabilities{Add: capabilities(s.CapAdd), Drop: capabilities(s.CapDrop)}
	// The cluster rejects no-new-privileges together with CAP_SYS_ADMIN.
	if !slices.Contains(security.Capabilities.Add, "SYS_ADMIN") && !slices.Contains(security.Capabilities.Add, "ALL") {
		security.AllowPrivilegeEscalation = new(false)
	}
	for _, option := range s.SecurityOpt {
		if !setSecurityOption(security, option) {
			return engine.Refuse(s.Name, "the engine kubernetes has no security option %q: leave it out, or use engine: docker",
				option)
		}
	}
	return nil
}

// setSecurityOption sets an option in Docker's format. It returns false if Kubernetes has no such option.
func setSecurityOption(security *corev1.SecurityContext, option string) bool {
	switch name, value, _ := strings.Cut(strings.Replace(option, "=", ":", 1), ":"); {
	case name == "no-new-privileges" && (value == "" || value == "true"):
		security.AllowPrivilegeEscalation = new(false)
	case name == "no-new-privileges" && value == "false":
		security.AllowPrivilegeEscalation = nil
	case name == "seccomp" && value == "unconfined":
		security.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
	case name == "apparmor" && value == "unconfined":
		security.AppArmorProfile = &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}
	default:
		return false
	}
	return true
}

// limit sets CPU and memory limits. A CPU set becomes the same number of exclusive CPUs, which Kubernetes gives to pods
// whose requests equal their limits.
func (p *podSpec) limit() error {
	s := p.service
	limits := corev1.ResourceList{}
	if s.CPUs > 0 {
		limits[corev1.ResourceCPU] = *resource.NewMilliQuantity(int64(s.CPUs*1000+0.5), resource.DecimalSI)
	}
	if s.Memory > 0 {
		limits[corev1.ResourceMemory] = *resource.NewQuantity(s.Memory, resource.BinarySI)
	}
	if s.CPUSet != "" {
		cpus, _ := cpuSet(s.CPUSet) // plans have validated it
		if s.CPUs > 0 && s.CPUs != float64(len(cpus)) {
			return engine.Refuse(s.Name, "cpuset %q are %d CPUs of its own, which Kubernetes cannot limit to cpus: %g: leave "+
				"one of them out", s.CPUSet, len(cpus), s.CPUs)
		}
		limits[corev1.ResourceCPU] = *resource.NewQuantity(int64(len(cpus)), resource.DecimalSI)
		if s.Memory == 0 {
			limits[corev1.ResourceMemory] = *resource.NewQuantity(exclusiveMemory, resource.BinarySI)
		}
	}
	if len(limits) > 0 {
		p.main.Resources = corev1.ResourceRequirements{Limits: limits, Requests: limits.DeepCopy()}
	}
	return nil
}

// cpuSet returns the CPUs of a list such as "0-2,5", without duplicates.
func cpuSet(list string) ([]int, bool) {
	cpus, ok := spec.ParseCPUSet(list)
	slices.Sort(cpus)
	return slices.Compact(cpus), ok
}

// addInit adds an init container that fills volumes as root.
func (p *podSpec) addInit(name, image, program string, filling inpod.Filling, mounts ...corev1.VolumeMount) {
	root := int64(0)
	p.init = append(p.init, corev1.Container{Name: name, Image: image, ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         append([]string{program}, act(inpod.Fill, filling)[1:]...),
		VolumeMounts:    mounts,
		SecurityContext: &corev1.SecurityContext{RunAsUser: &root, RunAsGroup: &root, AllowPrivilegeEscalation: new(false)},
		Resources:       *p.main.Resources.DeepCopy(),
	})
}

// mount adds a volume, mounts it in the main container, and returns its name.
func (p *podSpec) mount(source corev1.VolumeSource, target string, readOnly bool) (volume string) {
	volume = "v" + strconv.Itoa(len(p.pod.Spec.Volumes))
	p.pod.Spec.Volumes = append(p.pod.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: source})
	p.main.VolumeMounts = append(p.main.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: target,
		ReadOnly: readOnly})
	return volume
}

// filled marks a volume for filling before the service starts, and returns its mount path in the init container.
func (p *podSpec) filled(volume string) string {
	target := path.Join("/.benchbook-fill", volume)
	p.fills = append(p.fills, corev1.VolumeMount{Name: volume, MountPath: target})
	return target
}

// addFiles mounts each file separately, so that other files in its folder remain. An executable too large for a
// ConfigMap comes from an image of its own.
func (p *podSpec) addFiles(ctx context.Context) error {
	var small []spec.File
	for i, file := range p.service.Configs {
		if !path.IsAbs(file.Path) {
			return engine.Refuse(p.service.Name, "file %q: a path in a container is absolute", file.Path)
		}
		if len(file.Data) <= maxFiles || !file.Exec {
			small = append(small, file)
			continue
		}
		name := path.Base(file.Path)
		image, err := p.engine.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: name, Data: file.Data}},
			io.Discard)
		if err != nil {
			return err
		}
		key := "f" + strconv.Itoa(i)
		p.addInit(key, image.Reference, podProgram, inpod.Filling{Copies: []inpod.Copy{{From: "/" + name,
			To: path.Join(podFolder, key)}}}, podMount)
		p.main.VolumeMounts = append(p.main.VolumeMounts, corev1.VolumeMount{Name: podMount.Name, MountPath: file.Path,
			SubPath: key, ReadOnly: true})
	}
	if len(small) == 0 {
		return nil
	}
	source, err := p.keepFiles(small)
	if err != nil {
		return err
	}
	volume := p.mount(source, "", true)
	mounts := p.main.VolumeMounts[:len(p.main.VolumeMounts)-1] // replace the mount by one per file
	for _, file := range small {
		mounts = append(mounts, corev1.VolumeMount{Name: volume, MountPath: file.Path, SubPath: inVolume(file), ReadOnly: true})
	}
	p.main.VolumeMounts = mounts
	return nil
}

// keepFiles puts files into as many ConfigMaps as needed, and returns a volume with all files.
func (p *podSpec) keepFiles(files []spec.File) (source corev1.VolumeSource, err error) {
	source.Projected = &corev1.ProjectedVolumeSource{}
	var object *corev1.ConfigMap
	var projection *corev1.ConfigMapProjection
	size := 0
	for i, file := range files {
		if len(file.Data) > maxFiles {
			return source, engine.Refuse(p.service.Name, "file %s has %d bytes, and Kubernetes takes a mebibyte: put it into "+
				"the image", file.Path, len(file.Data))
		}
		if size += len(file.Data) + len(file.Path); object == nil || size > maxFiles {
			size = len(file.Data) + len(file.Path)
			object = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: objectName(p.service.Name)}, Immutable: new(true),
				BinaryData: make(map[string][]byte)}
			projection = &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: object.Name}}
			p.files = append(p.files, object)
			source.Projected.Sources = append(source.Projected.Sources, corev1.VolumeProjection{ConfigMap: projection})
		}
		key := "f" + strconv.Itoa(i)
		object.BinaryData[key] = file.Data
		projection.Items = append(projection.Items, corev1.KeyToPath{Key: key, Path: inVolume(file),
			Mode: new(int32(file.Mode()))})
	}
	return source, nil
}

// inVolume returns the path of a file within a volume of keepFiles.
func inVolume(file spec.File) string { return strings.TrimPrefix(path.Clean(file.Path), "/") }

// addVolumes mounts unnamed volumes and collects named ones in claims. An empty volume is filled with the image's files
// at its target.
func (p *podSpec) addVolumes() error {
	for _, v := range p.service.Volumes {
		switch {
		case v.Host != "":
			p.mount(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: v.Host}}, v.Target, v.ReadOnly)
		case v.HasFiles():
			source, err := p.keepFiles(v.Files)
			if err != nil {
				return err
			}
			p.mount(source, v.Target, true)
		case v.Name() != "":
			p.claims = append(p.claims, wantedClaim{v.Name(), v.Target, v.ReadOnly})
		default:
			volume := p.mount(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, v.Target, v.ReadOnly)
			p.fill.Copies = append(p.fill.Copies, inpod.Copy{From: v.Target, To: p.filled(volume)})
		}
	}
	return nil
}

// addClaim mounts a named volume, which may be available on one node only. Fresh means that this pod fills it.
func (p *podSpec) addClaim(wanted *wantedClaim, id string, fresh bool) {
	volume := p.mount(corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: id}},
		wanted.target, wanted.readOnly)
	if fresh {
		p.fill.Copies = append(p.fill.Copies, inpod.Copy{From: wanted.target, To: p.filled(volume)})
	}
	p.pod.Labels[claimLabel+id] = ""
	if p.affinity.PodAffinity == nil {
		p.affinity.PodAffinity = &corev1.PodAffinity{}
	}
	required := &p.affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	*required = append(*required, corev1.PodAffinityTerm{TopologyKey: corev1.LabelHostname,
		LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{claimLabel + id: ""}}})
}

// addTmpfs adds a folder in memory, with options in the format of mount.
func (p *podSpec) addTmpfs(mount string) error {
	target, options, _ := strings.Cut(mount, ":")
	source := &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}
	mode := inpod.Mode{Mode: 0o1777, UID: -1, GID: -1}
	for option := range strings.SplitSeq(options, ",") {
		name, value, _ := strings.Cut(option, "=")
		var err error
		switch name {
		case "":
		case "size":
			var size int64
			if size, err = units.RAMInBytes(value); err == nil {
				source.SizeLimit = resource.NewQuantity(size, resource.BinarySI)
			}
		case "mode":
			var bits uint64
			bits, err = strconv.ParseUint(value, 8, 12)
			mode.Mode = uint32(bits)
		case "uid":
			mode.UID, err = strconv.Atoi(value)
		case "gid":
			mode.GID, err = strconv.Atoi(value)
		case "rw", "exec", "suid", "dev":
		default:
			err = errors.New("the engine kubernetes has no such option: leave it out, or use engine: docker")
		}
		if err != nil {
			return engine.Refuse(p.service.Name, "tmpfs %s: option %q: %w", target, option, err)
		}
	}
	mode.Path = p.filled(p.mount(corev1.VolumeSource{EmptyDir: source}, target, false))
	p.fill.Modes = append(p.fill.Modes, mode)
	return nil
}

// finish returns the completed pod. An init container from the service's image fills its volumes.
func (p *podSpec) finish() *corev1.Pod {
	if len(p.fills) > 0 {
		p.addInit("fill", p.main.Image, podProgram, p.fill, append(p.fills, podMount)...)
	}
	p.affinity.NodeAffinity = p.engine.nodes.affinity(p.service.Host)
	p.pod.Spec.Affinity = &p.affinity
	p.pod.Spec.InitContainers, p.pod.Spec.Containers = p.init, []corev1.Container{p.main}
	return p.pod
}

// nodes tracks the nodes that were chosen for hosts.
type nodes struct {
	prefer map[string][]string // node names by host, from the previous run

	mu    sync.Mutex
	names map[string]string // chosen node by host
}

func (n *nodes) all() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.names)
}

// settle records the node of a host's first pod.
func (n *nodes) settle(host, node string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if host != "" {
		n.names[host] = node
	}
}

// affinity returns the nodes for a pod of a host: the host's node, or before it has one, any node that no other host
// has, preferably one of the previous run.
func (n *nodes) affinity(host string) *corev1.NodeAffinity {
	chosen := n.all()
	var term corev1.NodeSelectorTerm
	affinity := &corev1.NodeAffinity{}
	switch {
	case host == "":
		return nil
	case chosen[host] != "":
		term = byName(corev1.NodeSelectorOpIn, chosen[host])
	default:
		for _, node := range chosen {
			term.MatchFields = append(term.MatchFields, byName(corev1.NodeSelectorOpNotIn, node).MatchFields...)
		}
		for _, node := range n.prefer[host] {
			affinity.PreferredDuringSchedulingIgnoredDuringExecution = append(
				affinity.PreferredDuringSchedulingIgnoredDuringExecution,
				corev1.PreferredSchedulingTerm{Weight: 100, Preference: byName(corev1.NodeSelectorOpIn, node)})
		}
	}
	if len(term.MatchFields) > 0 {
		affinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{term}}
	}
	return affinity
}

func byName(operator corev1.NodeSelectorOperator, node string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: operator,
		Values: []string{node}}}}
}
