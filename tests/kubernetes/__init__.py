"""KubernetesExecutor, by `make test-kubernetes`: it has an environment of its own. No cluster is asked."""
