package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/kernel"
)

// maxFiles is how much of files goes into one object of the cluster, in bytes: it takes a mebibyte, with names and all.
const maxFiles = 1<<20 - 16<<10

// container is a container that is about to be made, with what its pod has to have for it.
type container struct {
	service  engine.Service
	program  bool // it runs to its end
	stdin    bool
	greeting string // see agent.Order; empty if nobody needs it
	token    string // to begin by
	leave    string // to end by, for a program

	main       corev1.Container
	stopSignal string // of its image
	fill       agent.Filling
	mounts     []corev1.VolumeMount // of what fills
	volumes    []corev1.Volume
	files      []*corev1.ConfigMap
	claims     []string // names of volumes, as the cluster has them
}

// refuse is an error about what was asked for.
func refuse(name string, format string, args ...any) error {
	return &engine.RejectedError{Name: name, Err: fmt.Errorf(format, args...)}
}

// plain is a value that the cluster takes as it is: it would else put variables in the place of $(NAME).
func plain(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// describe says what container a service is to be, without its volumes.
func (e *Engine) describe(ctx context.Context, c *container, nameServer string) error {
	s := c.service
	if s.Host != "" && s.Host != ServiceHost && s.Host != LoadHost {
		return refuse(s.Name, "the engine kubernetes chooses nodes by their labels, and has no host %q: leave out hosts",
			s.Host)
	}
	if s.PIDs != 0 {
		return refuse(s.Name, "the engine kubernetes cannot limit the processes of a container: remove pids_limit, and set "+
			"podPidsLimit of the kubelets")
	}
	image, err := e.images.config(ctx, s.Image)
	if err != nil {
		return err
	}
	order := agent.Order{Args: image.argsOf(s.Entrypoint, s.Command), Token: c.token, Leave: c.leave, Server: nameServer,
		Greeting: c.greeting}
	for _, name := range slices.Sorted(maps.Keys(s.Ulimits)) {
		limit := s.Ulimits[name]
		order.Ulimits = append(order.Ulimits, agent.Ulimit{Name: name, Soft: int64(limit.Soft), Hard: int64(limit.Hard)})
	}
	command := act(agent.Attend, order)
	for i := range command {
		command[i] = plain(command[i])
	}
	c.stopSignal = image.stopSignal
	c.main = corev1.Container{
		Name: mainContainer, Image: s.Image.Reference, ImagePullPolicy: corev1.PullIfNotPresent, Command: command,
		WorkingDir: s.WorkingDir,
		Stdin:      c.stdin, StdinOnce: c.stdin, SecurityContext: &corev1.SecurityContext{},
	}
	security := c.main.SecurityContext
	if err := secure(security, s); err != nil {
		return err
	}
	if s.User != "" {
		if security.RunAsUser, security.RunAsGroup, err = image.ids(s.User); err != nil {
			return refuse(s.Name, "%w", err)
		}
	}
	names, values := engine.Variables(s.Environment)
	for _, name := range names {
		c.main.Env = append(c.main.Env, corev1.EnvVar{Name: name, Value: plain(values[name])})
	}
	return e.limit(c)
}

// secure takes over capabilities, and those security options that Kubernetes has.
func secure(security *corev1.SecurityContext, s engine.Service) error {
	yes, no := true, false
	if s.ReadOnly {
		security.ReadOnlyRootFilesystem = &yes
	}
	capabilities := func(names []string) (out []corev1.Capability) {
		for _, name := range names {
			out = append(out, corev1.Capability(strings.TrimPrefix(strings.ToUpper(name), "CAP_")))
		}
		return out
	}
	security.Capabilities = &corev1.Capabilities{Add: capabilities(s.CapAdd), Drop: capabilities(s.CapDrop)}
	for _, option := range s.SecurityOpt {
		switch name, value, _ := strings.Cut(strings.Replace(option, "=", ":", 1), ":"); {
		case name == "no-new-privileges" && (value == "" || value == "true"):
			security.AllowPrivilegeEscalation = &no
		case name == "no-new-privileges" && value == "false":
		case name == "seccomp" && value == "unconfined":
			security.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
		case name == "apparmor" && value == "unconfined":
			security.AppArmorProfile = &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}
		default:
			return refuse(s.Name, "the engine kubernetes has no security option %q: leave it out, or use engine: docker", option)
		}
	}
	return nil
}

// limit sets bounds. A set of CPUs becomes as many whole CPUs of its own, which Kubernetes gives to what asks for just
// what it may use.
func (e *Engine) limit(c *container) error {
	s := c.service
	limits := corev1.ResourceList{}
	if s.CPUs > 0 {
		limits[corev1.ResourceCPU] = *resource.NewMilliQuantity(int64(s.CPUs*1000+0.5), resource.DecimalSI)
	}
	if s.Memory > 0 {
		limits[corev1.ResourceMemory] = *resource.NewQuantity(s.Memory, resource.BinarySI)
	}
	if s.CPUSet != "" {
		cpus, err := kernel.ParseCPUs(s.CPUSet)
		if err != nil {
			return refuse(s.Name, "%w", err)
		}
		if s.CPUs > 0 && s.CPUs != float64(len(cpus)) {
			return refuse(s.Name, "cpuset %q are %d CPUs of its own, which Kubernetes cannot limit to cpus: %g: leave one of "+
				"them out", s.CPUSet, len(cpus), s.CPUs)
		}
		limits[corev1.ResourceCPU] = *resource.NewQuantity(int64(len(cpus)), resource.DecimalSI)
		if s.Memory == 0 {
			limits[corev1.ResourceMemory] = *resource.NewQuantity(e.exclusiveMemory(), resource.BinarySI)
		}
	}
	if len(limits) > 0 {
		c.main.Resources = corev1.ResourceRequirements{Limits: limits, Requests: limits.DeepCopy()}
	}
	return nil
}

// mount adds a volume to a container.
func (c *container) mount(volume corev1.VolumeSource, target string, readOnly bool) (name string) {
	name = "v" + strconv.Itoa(len(c.volumes))
	c.volumes = append(c.volumes, corev1.Volume{Name: name, VolumeSource: volume})
	c.main.VolumeMounts = append(c.main.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: target,
		ReadOnly: readOnly})
	return name
}

// filled adds a volume to what is filled before the program begins, and says where it is then.
func (c *container) filled(volume string) (target string) {
	target = path.Join("/.benchbook-fill", volume)
	c.mounts = append(c.mounts, corev1.VolumeMount{Name: volume, MountPath: target})
	return target
}

// surround adds files, memory and volumes, of which claim makes those that have a name.
func (e *Engine) surround(c *container, run string, claim func(name string) (id string, fresh bool, err error)) error {
	s := c.service
	for _, file := range s.Configs {
		if !path.IsAbs(file.Path) {
			return refuse(s.Name, "file %q: a path in a container is absolute", file.Path)
		}
	}
	// Each file is mounted by itself, so that what is around it stays.
	configs := slices.DeleteFunc(slices.Clone(s.Configs), e.images.hasFile)
	if err := c.keepFiles(e, run, configs, func(volume corev1.VolumeSource, files []spec.File) {
		name := "v" + strconv.Itoa(len(c.volumes))
		c.volumes = append(c.volumes, corev1.Volume{Name: name, VolumeSource: volume})
		for i, file := range files {
			c.main.VolumeMounts = append(c.main.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: file.Path,
				SubPath: "f" + strconv.Itoa(i), ReadOnly: true})
		}
	}, nil); err != nil {
		return err
	}
	for _, mount := range s.Tmpfs {
		if err := c.memory(mount); err != nil {
			return err
		}
	}
	if s.ShmSize > 0 {
		c.mount(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory,
			SizeLimit: resource.NewQuantity(s.ShmSize, resource.BinarySI)}}, "/dev/shm", false)
	}
	return c.mountVolumes(e, run, claim)
}

func (c *container) mountVolumes(e *Engine, run string, claim func(name string) (id string, fresh bool,
	err error)) error {
	s := c.service
	for _, v := range s.Volumes {
		if !path.IsAbs(v.Target) {
			return refuse(s.Name, "volume %q: a path in a container is absolute", v.Target)
		}
		switch {
		case v.Host != "":
			c.mount(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: v.Host}}, v.Target, v.ReadOnly)
		case v.HasFiles():
			if err := c.keepFiles(e, run, v.Files, func(volume corev1.VolumeSource, files []spec.File) {
				c.mount(volume, v.Target, true)
			}, func(i int) string { return path.Clean(v.Files[i].Path) }); err != nil {
				return err
			}
		case v.Name() != "":
			id, fresh, err := claim(v.Name())
			if err != nil {
				return err
			}
			claim := &corev1.PersistentVolumeClaimVolumeSource{ClaimName: id}
			volume := c.mount(corev1.VolumeSource{PersistentVolumeClaim: claim}, v.Target, v.ReadOnly)
			if fresh {
				c.fill.Copies = append(c.fill.Copies, agent.Copy{From: v.Target, To: c.filled(volume)})
			}
			c.claims = append(c.claims, id)
		default:
			volume := c.mount(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, v.Target, v.ReadOnly)
			c.fill.Copies = append(c.fill.Copies, agent.Copy{From: v.Target, To: c.filled(volume)})
		}
	}
	return nil
}

// keepFiles makes objects of files, as many as are needed, and calls use with each of them. Their paths within it are
// given, or else f0, f1 …
func (c *container) keepFiles(e *Engine, run string, files []spec.File, use func(corev1.VolumeSource, []spec.File),
	at func(i int) string) error {
	first := 0
	for first < len(files) || first == 0 && at != nil {
		yes := true
		object := &corev1.ConfigMap{ObjectMeta: e.meta(objectName(c.service.Name), run, c.service.Name), Immutable: &yes,
			BinaryData: make(map[string][]byte)}
		volume := corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: object.Name}}
		size, i := 0, first
		for ; i < len(files) && (size == 0 || size+len(files[i].Data) <= maxFiles); i++ {
			if len(files[i].Data) > maxFiles {
				return refuse(c.service.Name, "file %s has %d bytes, and Kubernetes takes a mebibyte: put it into the image",
					files[i].Path, len(files[i].Data))
			}
			size += len(files[i].Data) + len(files[i].Path)
			key, mode := "f"+strconv.Itoa(i-first), int32(files[i].Mode())
			inside := key
			if at != nil {
				inside = at(i)
			}
			object.BinaryData[key] = files[i].Data
			volume.Items = append(volume.Items, corev1.KeyToPath{Key: key, Path: inside, Mode: &mode})
		}
		if at != nil && i < len(files) {
			return refuse(c.service.Name, "the files of one of its volumes are more than a mebibyte, which is what Kubernetes "+
				"takes: put them into the image")
		}
		c.files = append(c.files, object)
		use(corev1.VolumeSource{ConfigMap: &volume}, files[first:i])
		if first = i; len(files) == 0 {
			break
		}
	}
	return nil
}

// memory adds a folder in memory, with options as mount has them.
func (c *container) memory(mount string) error {
	target, options, _ := strings.Cut(mount, ":")
	source := &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}
	mode := agent.Mode{Mode: 0o1777, UID: -1, GID: -1}
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
			return refuse(c.service.Name, "tmpfs %s: option %q: %w", target, option, err)
		}
	}
	volume := c.mount(corev1.VolumeSource{EmptyDir: source}, target, false)
	mode.Path = c.filled(volume)
	c.fill.Modes = append(c.fill.Modes, mode)
	return nil
}

// pod is the pod of a container.
func (e *Engine) pod(c *container, run, space, nameServer string) *corev1.Pod {
	s := c.service
	no, root := false, int64(0)
	pod := &corev1.Pod{ObjectMeta: e.meta(objectName(s.Name), run, s.Name)}
	pod.Labels[labelSpace] = space
	grace, soon := int64(1), int64(5)
	pod.Spec = corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: &grace,
		AutomountServiceAccountToken: &no, EnableServiceLinks: &no,
		Containers: []corev1.Container{c.main}, Volumes: c.volumes, Hostname: s.Hostname,
		DNSPolicy: corev1.DNSNone, DNSConfig: &corev1.PodDNSConfig{Nameservers: []string{nameServer}},
		SecurityContext: &corev1.PodSecurityContext{},
		NodeSelector:    e.options.ServiceNodes,
	}
	// A node that is lost is known to be so within seconds, and its pods are given up.
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{Key: taint, Operator: corev1.TolerationOpExists,
			Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &soon})
	}
	ports := fmt.Sprintf("%d %d", kernel.FirstPort, kernel.LastPort)
	sysctls := map[string]string{kernel.PortRange: ports}
	maps.Copy(sysctls, s.Sysctls)
	for _, name := range slices.Sorted(maps.Keys(sysctls)) {
		pod.Spec.SecurityContext.Sysctls = append(pod.Spec.SecurityContext.Sysctls,
			corev1.Sysctl{Name: name, Value: sysctls[name]})
	}
	if len(c.mounts) > 0 {
		pod.Spec.InitContainers = []corev1.Container{{
			Name: "fill", Image: c.main.Image, ImagePullPolicy: c.main.ImagePullPolicy, Command: act(agent.Fill, c.fill),
			VolumeMounts:    c.mounts,
			SecurityContext: &corev1.SecurityContext{RunAsUser: &root, RunAsGroup: &root},
			Resources:       *c.main.Resources.DeepCopy(),
		}}
	}
	for _, claim := range c.claims {
		pod.Labels[labelClaim+claim] = ""
	}
	if c.program && s.Host != ServiceHost || s.Host == LoadHost {
		pod.Spec.NodeSelector = e.options.LoadNodes
	}
	pod.Spec.Affinity = e.affinity(c, space)
	return pod
}

// affinity says on which nodes a container may be, or had better be.
func (e *Engine) affinity(c *container, space string) *corev1.Affinity {
	near := func(labels map[string]string) corev1.PodAffinityTerm {
		return corev1.PodAffinityTerm{TopologyKey: corev1.LabelHostname,
			LabelSelector: &metav1.LabelSelector{MatchLabels: labels}}
	}
	preferred := func(term corev1.PodAffinityTerm) []corev1.WeightedPodAffinityTerm {
		return []corev1.WeightedPodAffinityTerm{{Weight: 100, PodAffinityTerm: term}}
	}
	s, with, apart := c.service, &corev1.PodAffinity{}, &corev1.PodAntiAffinity{}
	affinity := &corev1.Affinity{PodAffinity: with, PodAntiAffinity: apart}
	for _, claim := range c.claims { // a volume may be there on one node only
		with.RequiredDuringSchedulingIgnoredDuringExecution = append(with.RequiredDuringSchedulingIgnoredDuringExecution,
			near(map[string]string{labelClaim + claim: ""}))
	}
	switch node := e.nodes.of(s.Host); {
	case node != "":
		affinity.NodeAffinity = &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{byName(corev1.NodeSelectorOpIn, node)}}}
	case s.Host != "":
		// The first of its host, which decides on the node: the load is where names are answered and services are probed
		// from.
		names := preferred(near(map[string]string{labelEngine: e.id, labelNames: ""}))
		affinity.NodeAffinity = &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: e.nodes.preferred(
			s.Host)}
		if s.Host == LoadHost {
			with.PreferredDuringSchedulingIgnoredDuringExecution = names
		} else {
			apart.PreferredDuringSchedulingIgnoredDuringExecution = names
		}
	case c.program:
		apart.PreferredDuringSchedulingIgnoredDuringExecution = preferred(near(map[string]string{labelSpace: space}))
	}
	return affinity
}
