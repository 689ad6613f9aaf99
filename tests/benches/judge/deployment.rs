//! The objects that are judged: a Deployment as teams write them, with sidecars, probes and volumes, and a ConfigMap.

use super::Pair;
use driftdeck::model::manifest::BodyLines;
use driftdeck::model::{ClusterId, GroupVersionKind, Identity, Manifest, Origin, ResourceId};
use driftdeck::text::yaml::read_documents;
use serde_json::{Map, Value, json};

/// Returns what Git declares.
pub fn manifest(cluster: &ClusterId, yaml: &str) -> Manifest {
    let document = read_documents(yaml.as_bytes()).remove(0).unwrap();
    let body = document.value;
    let text = |path: &[&str]| body.str_at(path).map(str::to_owned);
    let kind = GroupVersionKind::from_api_version(
        body.str_at(&["apiVersion"]).unwrap(),
        body.str_at(&["kind"]).unwrap(),
    );
    let id = ResourceId::from(Identity {
        cluster: cluster.clone(),
        kind: kind.group_kind(),
        namespace: text(&["metadata", "namespace"]),
        name: text(&["metadata", "name"]),
    });
    let origin = Origin { file: "apps/shop/objects.yaml".to_owned(), document: 0, line: Some(document.line) };
    let lines = BodyLines::of(&document.lines, &body);
    Manifest { id, kind, body, origin, problems: Vec::new(), lines, overlay: None }
}

pub fn deployment() -> Pair {
    let yaml = declared_deployment();
    let mut live = json_of(&yaml);
    let managed = json!([
        {
            "manager": "kustomize-controller", "operation": "Apply", "apiVersion": "apps/v1",
            "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1", "fieldsV1": owned(&live),
        },
        {
            "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1",
            "time": "2026-01-02T03:04:25Z", "fieldsType": "FieldsV1", "subresource": "status",
            "fieldsV1": {
                "f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}},
                "f:status": {
                    "f:availableReplicas": {}, "f:observedGeneration": {}, "f:readyReplicas": {}, "f:replicas": {},
                    "f:updatedReplicas": {}, "f:conditions": {".": {}, "k:{\"type\":\"Available\"}": {".": {}, "f:status": {}}},
                },
            },
        },
    ]);
    let spec = &mut live["spec"];
    fill(
        spec,
        &json!({
            "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        }),
    );
    let pod = &mut spec["template"]["spec"];
    fill(
        pod,
        &json!({
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30,
            "serviceAccount": pod["serviceAccountName"].clone(),
        }),
    );
    for container in pod["containers"].as_array_mut().unwrap() {
        fill(
            container,
            &json!({
                "imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File", "resources": {},
            }),
        );
        for probe in ["readinessProbe", "livenessProbe"] {
            if let Some(probe) = container.get_mut(probe) {
                fill(
                    probe,
                    &json!({"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}),
                );
                fill(&mut probe["httpGet"], &json!({"scheme": "HTTP"}));
            }
        }
        for port in container["ports"].as_array_mut().into_iter().flatten() {
            fill(port, &json!({"protocol": "TCP"}));
        }
    }
    for volume in pod["volumes"].as_array_mut().unwrap() {
        if let Some(source) = volume.get_mut("configMap") {
            fill(source, &json!({"defaultMode": 420}));
        }
    }
    live["status"] = json!({
        "observedGeneration": 7, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
        "conditions": [
            {
                "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                "lastUpdateTime": "2026-01-02T03:04:25Z", "lastTransitionTime": "2026-01-02T03:04:25Z",
                "message": "Deployment has minimum availability.",
            },
            {
                "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                "lastUpdateTime": "2026-01-02T03:04:25Z", "lastTransitionTime": "2026-01-02T03:04:05Z",
                "message": "ReplicaSet \"shop-5c9f8d7b66\" has successfully progressed.",
            },
        ],
    });
    served(&mut live, 7, &managed);
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("4");
    Pair { name: "Deployment", yaml, json: live.to_string() }
}

pub fn config_map() -> Pair {
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: shop\n  labels:\n    \
                app.kubernetes.io/name: shop\n    app.kubernetes.io/part-of: fleet\ndata:\n  mode: calm\n  level: info\n  \
                settings: a=1, b=2, c=3\n"
        .to_owned();
    let mut live = json_of(&yaml);
    let managed = json!([{
        "manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-02T03:04:05Z",
        "fieldsType": "FieldsV1", "fieldsV1": owned(&live),
    }]);
    served(&mut live, 1, &managed);
    Pair { name: "ConfigMap", yaml, json: live.to_string() }
}

fn declared_deployment() -> String {
    let container = |name: &str, port: u16, variables: usize| {
        let mut text = format!(
            "      - name: {name}\n        image: registry.example.com/shop/{name}:1.24.{port}\n        args:\n        \
             - --port={port}\n        - --log-level=info\n        ports:\n        - name: http-{name}\n          \
             containerPort: {port}\n        env:\n"
        );
        for n in 0..variables {
            text += &format!("        - name: SETTING_{n}\n          value: \"value of {n}\"\n");
        }
        text + &format!(
            "        - name: PASSWORD\n          valueFrom:\n            secretKeyRef:\n              name: {name}\n              \
             key: password\n        resources:\n          requests:\n            cpu: 100m\n            memory: 128Mi\n          \
             limits:\n            memory: 256Mi\n        readinessProbe:\n          httpGet:\n            path: /ready\n            \
             port: http-{name}\n        livenessProbe:\n          httpGet:\n            path: /live\n            port: http-{name}\n          \
             initialDelaySeconds: 10\n        securityContext:\n          allowPrivilegeEscalation: false\n          \
             readOnlyRootFilesystem: true\n        volumeMounts:\n        - name: settings\n          mountPath: /etc/shop\n          \
             readOnly: true\n        - name: scratch\n          mountPath: /tmp\n"
        )
    };
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\n  namespace: shop\n  labels:\n    \
         app.kubernetes.io/name: shop\n    app.kubernetes.io/part-of: fleet\n  annotations:\n    example.com/owner: team-shop\n\
         spec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: shop\n  template:\n    metadata:\n      \
         labels:\n        app.kubernetes.io/name: shop\n        app.kubernetes.io/part-of: fleet\n    spec:\n      \
         serviceAccountName: shop\n      containers:\n{}{}{}      volumes:\n      - name: settings\n        configMap:\n          \
         name: settings\n      - name: scratch\n        emptyDir: {{}}\n",
        container("web", 8080, 12),
        container("worker", 8081, 10),
        container("proxy", 8082, 4),
    )
}

fn json_of(yaml: &str) -> Value {
    fn plain(value: &driftdeck::model::Value) -> Value {
        use driftdeck::model::Value as Ours;
        match value {
            Ours::Map(fields) => {
                fields.iter().map(|(k, v)| (k.clone(), plain(v))).collect::<Map<_, _>>().into()
            }
            Ours::List(items) => items.iter().map(plain).collect(),
            Ours::String(text) => text.as_str().into(),
            Ours::Bool(yes) => (*yes).into(),
            Ours::Number(number) => number.as_i64().into(),
            _ => Value::Null,
        }
    }
    plain(&read_documents(yaml.as_bytes()).remove(0).unwrap().value)
}

/// Puts in what the server fills in, where it is absent.
fn fill(into: &mut Value, defaults: &Value) {
    let fields = into.as_object_mut().unwrap();
    for (name, value) in defaults.as_object().unwrap() {
        fields.entry(name).or_insert_with(|| value.clone());
    }
}

/// Puts in the metadata that the server keeps.
fn served(live: &mut Value, generation: u32, managed: &Value) {
    fill(
        &mut live["metadata"],
        &json!({
            "uid": "0b9d7c3e-5f3a-4a53-9a52-3f6b5ce5d0aa", "resourceVersion": "184467", "generation": generation,
            "creationTimestamp": "2026-01-02T03:04:05Z", "managedFields": managed,
        }),
    );
}

/// Returns the field set that an apply of this object owns.
fn owned(object: &Value) -> Value {
    fn set(value: &Value) -> Value {
        match value {
            Value::Object(fields) if !fields.is_empty() => fields
                .iter()
                .map(|(name, value)| (format!("f:{name}"), set(value)))
                .collect::<Map<_, _>>()
                .into(),
            Value::Array(items) if items.iter().all(Value::is_object) => items
                .iter()
                .map(|item| {
                    let key = match (item.get("mountPath"), item.get("containerPort"), item.get("name")) {
                        (Some(path), _, _) => json!({ "mountPath": path }),
                        (_, Some(port), _) => json!({ "containerPort": port, "protocol": "TCP" }),
                        (_, _, name) => json!({ "name": name }),
                    };
                    let mut of = set(item);
                    of[".".to_owned()] = json!({});
                    (format!("k:{key}"), of)
                })
                .collect::<Map<_, _>>()
                .into(),
            _ => json!({}),
        }
    }
    let mut parts = set(object);
    for name in ["f:apiVersion", "f:kind"] {
        parts.as_object_mut().unwrap().remove(name);
    }
    for name in ["f:name", "f:namespace"] {
        parts["f:metadata"].as_object_mut().unwrap().remove(name);
    }
    parts
}
