package engine

// Cluster says which namespace of which Kubernetes cluster is used, and which of its nodes.
type Cluster struct {
	// Context is one of the user's kubeconfig; empty is its current one.
	Context string
	// Namespace has to be there; empty is that of the context.
	Namespace string
	// Registry is where images are pushed to, and where nodes pull them from: "registry.example.org/bench". Whoever is
	// logged in there by docker login, may push. Plain HTTP is used within private networks only.
	Registry string
	// LoadNodes and ServiceNodes are labels that the nodes of programs and of services have. Where both are empty,
	// programs are kept away from the nodes of services if there are others.
	LoadNodes, ServiceNodes map[string]string
	// Prefer are names of nodes by host, which are taken again where nothing is against it: those of the run before.
	Prefer map[string][]string
}
