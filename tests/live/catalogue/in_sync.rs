//! Rows 1-9, 11-13, 15-18 and 25-36: what must not be called drift.

use super::{Stage, WAYS, Way, aggregated, deployment, inject_certificate, webhook};

#[track_caller]
fn in_sync_both_ways(subject: &str, manifests: &str) {
    for way in WAYS {
        Stage::applied(subject, way, manifests).assert_in_sync();
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_1_a_field_that_the_server_defaulted_is_in_sync() {
    in_sync_both_ways("row-1", &deployment("", ""));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_2_a_quantity_in_another_spelling_is_in_sync() {
    let resources = "        resources:
          requests: {cpu: 1000m, memory: 1024Mi, ephemeral-storage: 1000M}
          limits: {cpu: '1.5', memory: 2048Mi, ephemeral-storage: 2G}";
    let stage = Stage::applied("row-2", Way::ClientSide, &deployment(resources, ""));
    stage.assert_in_sync();
    let respelled = deployment(
        "        resources:
          requests: {cpu: '1', memory: 1Gi, ephemeral-storage: 1G}
          limits: {cpu: 1500m, memory: 2Gi, ephemeral-storage: 2000M}",
        "",
    );
    stage.declare(&respelled);
    stage.assert_in_sync();
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_3_a_respelled_quantity_of_a_custom_resource_is_in_sync_if_its_schema_says_quantity() {
    let group = format!("row3-{}.example.com", std::process::id());
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: caches.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: caches, kind: Cache}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size:
                anyOf: [{{type: integer}}, {{type: string}}]
                x-kubernetes-int-or-string: true
                pattern: ^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$
              name: {{type: string}}
"
    );
    let cache = |size: &str, name: &str| {
        format!(
            "apiVersion: {group}/v1\nkind: Cache\nmetadata: {{name: c}}\nspec: {{size: {size}, name: {name}}}\n"
        )
    };
    let stage = Stage::declared("row-3", Way::ClientSide, &cache("1024Mi", "'1024Mi'"));
    stage.namespace.apply(&definition);
    stage.namespace.plane.established(&[&format!("crd/caches.{group}")]);
    stage.apply(&cache("1Gi", "'1024Mi'"));
    stage.assert_in_sync();
    stage.apply(&cache("1Gi", "'1Gi'"));
    stage.assert_drift(&[(".spec.name", "changed")]);
    stage.namespace.kubectl(&["delete", "crd", &format!("caches.{group}"), "--wait=false"]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_4_null_creation_timestamps_and_status_in_git_are_in_sync() {
    let manifest =
        deployment("", "").replace("  name: web\nspec:", "  name: web\n  creationTimestamp: null\nspec:");
    let stage = Stage::applied("row-4", Way::ClientSide, &manifest);
    stage.declare(&format!("{manifest}status: {{replicas: 7}}\n"));
    stage.assert_in_sync();
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn rows_5_and_6_string_data_and_null_data_of_secrets_are_in_sync() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {plain: canary}\ndata: {empty: null, coded: Y2FuYXJ5, blank: ''}\n";
    in_sync_both_ways("row-5", secret);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_7_empty_rules_are_in_sync_with_null() {
    in_sync_both_ways(
        "row-7",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules: []\n",
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_8_rules_of_an_aggregated_cluster_role_are_the_controllers() {
    let name = format!("row-8-{}", std::process::id());
    let stage = aggregated("row-8", &name);
    stage.assert_in_sync();
    stage.namespace.kubectl(&["delete", "clusterrole", &name, &format!("{name}-part")]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_9_empty_null_and_missing_are_one_in_built_in_kinds() {
    let empty = deployment("        resources: {}\n        env: []\n        args: null", "")
        .replace("  name: web\nspec:", "  name: web\n  annotations: null\n  labels: {}\nspec:");
    in_sync_both_ways("row-9", &empty);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn rows_11_and_12_a_port_without_protocol_and_one_port_under_two_protocols_are_in_sync() {
    let ports = "        ports:\n        - containerPort: 53\n          name: tcp\n        - containerPort: 53\n          name: udp\n          protocol: UDP";
    let service = "---
apiVersion: v1
kind: Service
metadata: {name: dns}
spec:
  selector: {app: web}
  ports:
  - {name: tcp, port: 53}
  - {name: udp, port: 53, protocol: UDP}
";
    in_sync_both_ways("row-11", &format!("{}{service}", deployment(ports, "")));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_13_a_keyed_list_in_another_order_is_no_drift_except_where_order_has_a_meaning() {
    let env = |names: [&str; 2]| {
        let items = names.map(|n| format!("        - {{name: {n}, value: '1'}}"));
        deployment(&format!("        env:\n{}", items.join("\n")), "")
    };
    let stage = Stage::applied("row-13", Way::ClientSide, &env(["A", "B"]));
    stage.declare(&env(["B", "A"]));
    stage.assert_in_sync();
    let resource = stage.resource("Deployment", "web");
    let order: Vec<_> = resource["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["class"].clone(), c["counts"].clone()))
        .collect();
    assert_eq!(order, [("order".into(), false.into())], "order is said, and does not count");

    let refers = |names: [&str; 2]| {
        let items: String = names
            .iter()
            .map(|n| {
                if *n == "A" {
                    "        - {name: A, value: '1'}\n".to_owned()
                } else {
                    "        - {name: B, value: $(A)}\n".to_owned()
                }
            })
            .collect();
        deployment(&format!("        env:\n{}", items.trim_end()), "")
    };
    let stage = Stage::applied("row-13", Way::ClientSide, &refers(["A", "B"]));
    stage.declare(&refers(["B", "A"]));
    let document = stage.check();
    assert_eq!(document["verdict"], "drifted", "env that refers to env depends on its order: {document:#}");

    let inits = |names: [&str; 2]| {
        let items = names.map(|n| format!("      - {{name: {n}, image: 'i:1'}}"));
        deployment(&format!("      initContainers:\n{}", items.join("\n")), "")
    };
    let stage = Stage::applied("row-13", Way::ClientSide, &inits(["one", "two"]));
    stage.declare(&inits(["two", "one"]));
    assert_eq!(stage.check()["verdict"], "drifted", "init containers run in their order");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_15_what_the_server_adds_to_volume_claim_templates_is_in_sync() {
    in_sync_both_ways(
        "row-15",
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: 'db:1', volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
",
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn rows_16_and_17_defaults_inside_atomic_elements_are_in_sync() {
    let env = "        env:
        - name: POD
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        volumeMounts: [{name: token, mountPath: /token}]
      volumes:
      - name: token
        projected: {sources: [{serviceAccountToken: {path: token}}]}
      - name: files
        configMap: {name: c, items: [{key: a, path: a}]}";
    let policy = "---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {}
  ingress: [{ports: [{port: 80}], from: [{podSelector: {}}]}]
";
    in_sync_both_ways("row-16", &format!("{}{policy}", deployment(env, "")));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn rows_17_and_18_a_webhook_scope_default_and_an_injected_ca_bundle_are_in_sync() {
    let name = format!("row-18-{}.example.com", std::process::id());
    let manifest = webhook(&name, "");
    for way in WAYS {
        let stage = Stage::applied("row-18", way, &manifest);
        let object = format!("validatingwebhookconfiguration/{name}");
        inject_certificate(&stage, &object);
        stage.assert_in_sync();
        stage.namespace.kubectl(&["delete", &object]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn rows_25_and_27_zero_values_that_the_server_drops_or_replaces_are_in_sync() {
    let probe = "        livenessProbe: {httpGet: {path: /, port: 80}, timeoutSeconds: 0, initialDelaySeconds: 0, periodSeconds: 0}
        tty: false
        stdin: false
      hostNetwork: false
      hostPID: false";
    in_sync_both_ways("row-25", &deployment(probe, "  paused: false\n  minReadySeconds: 0"));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_26_yaml_scalars_mean_what_kubectl_reads() {
    let volumes = "      volumes:
      - name: files
        configMap: {name: c, defaultMode: 0644}
      - name: more
        secret: {secretName: s, defaultMode: 0o600, optional: yes}";
    in_sync_both_ways("row-26", &deployment(volumes, ""));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_28_the_items_of_a_list_are_objects_of_their_own() {
    let list = "apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1'}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {x: '1'}}
";
    let stage = Stage::applied("row-28", Way::ClientSide, list);
    stage.assert_in_sync();
    assert_eq!(stage.check()["resources"].as_array().unwrap().len(), 2);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_29_a_namespace_on_a_cluster_scoped_kind_is_in_sync() {
    let name = format!("row-29-{}", std::process::id());
    let manifest = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}, namespace: anywhere}}\nrules: [{{apiGroups: [''], resources: [pods], verbs: [get]}}]\n"
    );
    let stage = Stage::declared("row-29", Way::ClientSide, &manifest);
    stage.apply(&manifest.replace(", namespace: anywhere", ""));
    stage.assert_in_sync();
    stage.namespace.kubectl(&["delete", "clusterrole", &name]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_30_an_older_api_version_of_the_same_object_is_in_sync() {
    in_sync_both_ways(
        "row-30",
        "apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 3
  targetCPUUtilizationPercentage: 70
",
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn rows_31_and_32_server_metadata_and_tracking_marks_are_in_sync() {
    for way in WAYS {
        let stage = Stage::applied("row-32", way, &deployment("", ""));
        // Of this namespace alone: what carries a mark is looked for in the whole cluster.
        let app = &stage.namespace.name;
        let tracking = format!("{app}:apps/Deployment:{app}/web");
        stage.namespace.patch(
            "deployment/web",
            "merge",
            &serde_json::json!({"metadata": {
                "annotations": {"argocd.argoproj.io/tracking-id": tracking},
                "labels": {"kustomize.toolkit.fluxcd.io/name": app, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"},
            }})
            .to_string(),
            "argocd-controller",
        );
        stage.namespace.await_object("deployment/web", "has a revision", |d| {
            d["metadata"]["annotations"]["deployment.kubernetes.io/revision"].is_string()
        });
        stage.assert_in_sync();
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_33_the_name_label_of_a_namespace_is_in_sync() {
    let name = format!("row-33-{}", std::process::id());
    let stage = Stage::applied(
        "row-33",
        Way::ClientSide,
        &format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"),
    );
    stage.assert_in_sync();
    stage.namespace.kubectl(&["delete", "namespace", &name, "--wait=false"]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_34_allocated_addresses_and_ports_of_a_service_are_in_sync() {
    in_sync_both_ways(
        "row-34",
        "apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
",
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_35_secrets_that_a_controller_adds_to_a_service_account_are_in_sync() {
    for way in WAYS {
        let stage =
            Stage::applied("row-35", way, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: bot}\n");
        stage.namespace.patch(
            "serviceaccount/bot",
            "merge",
            r#"{"secrets":[{"name":"bot-token"}]}"#,
            "kube-controller-manager",
        );
        stage.assert_in_sync();
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_36_what_binding_writes_into_a_claim_is_in_sync() {
    for way in WAYS {
        let stage = Stage::applied(
            "row-36",
            way,
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], storageClassName: '', resources: {requests: {storage: 1Gi}}}\n",
        );
        stage.namespace.patch("pvc/data", "merge", r#"{"spec":{"volumeName":"pv-1"},"metadata":{"annotations":{"pv.kubernetes.io/bind-completed":"yes"}}}"#, "kube-controller-manager");
        stage.assert_in_sync();
    }
}
