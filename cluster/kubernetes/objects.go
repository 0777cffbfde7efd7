package kubernetes

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// Resources that we make, by the words of the API.
const (
	podResource    = "pods"
	fileResource   = "configmaps"
	claimResource  = "persistentvolumeclaims"
	policyResource = "networkpolicies"
)

// resources are all that we make, each with what engine.Leftover calls it.
var resources = []struct{ name, kind string }{
	{podResource, "container"}, {fileResource, "files"}, {claimResource, "volume"}, {policyResource, "network"},
}

var lists = map[string]func() runtime.Object{
	podResource:    func() runtime.Object { return new(corev1.PodList) },
	fileResource:   func() runtime.Object { return new(corev1.ConfigMapList) },
	claimResource:  func() runtime.Object { return new(corev1.PersistentVolumeClaimList) },
	policyResource: func() runtime.Object { return new(networkingv1.NetworkPolicyList) },
}

func (c *clusterClient) client(resource string) rest.Interface {
	if resource == policyResource {
		return c.network
	}
	return c.core
}

// create makes an object, also if the context is cancelled meanwhile. One of this name that is there already is an
// earlier try of ours.
func (c *clusterClient) create(ctx context.Context, resource string, object runtime.Object) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	err := c.client(resource).Post().Namespace(c.namespace).Resource(resource).Body(object).Do(ctx).Error()
	if apierrors.IsAlreadyExists(err) {
		return nil // names are drawn once, and a request is made again where its answer was lost
	}
	return err
}

// remove removes an object, which may be gone already. Pods get so much time to end; it is a second at least, as the
// cluster would else forget a pod that still runs.
func (c *clusterClient) remove(ctx context.Context, resource, name string, grace time.Duration) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	options := &metav1.DeleteOptions{}
	if resource == podResource {
		seconds := max(1, int64((grace+time.Second-1)/time.Second))
		options.GracePeriodSeconds = &seconds
	}
	err := c.client(resource).Delete().Namespace(c.namespace).Resource(resource).Name(name).Body(options).Do(ctx).Error()
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// list calls f with every object of ours that is not being removed, of any process.
func (c *clusterClient) list(ctx context.Context, resource string, f func(*metav1.ObjectMeta)) error {
	options := &metav1.ListOptions{LabelSelector: ownerSelector}
	list := lists[resource]()
	err := c.client(resource).Get().Namespace(c.namespace).Resource(resource).VersionedParams(options,
		parameters).Do(ctx).Into(list)
	if err != nil {
		return err
	}
	return meta.EachListItem(list, func(item runtime.Object) error {
		found := item.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta) // as all that we make
		if found.DeletionTimestamp == nil {
			f(found)
		}
		return nil
	})
}
