//! Defines which values a template puts at a field, as far as its text says so.

/// Returns the values that a template puts at fields of this name, as `image.tag`, in the order of the template: those on
/// the field's own line, or, where nothing else stands on it, those of the actions that follow it directly.
pub fn values_at(template: &str, field: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = template.lines().peekable();
    // What the line before puts into the dot: `{{- with .Values.nodeSelector }}`.
    let mut with: Vec<String> = Vec::new();
    while let Some(line) = lines.next() {
        let text = line.trim_start().trim_start_matches("- ").trim_start();
        let Some(rest) = text.strip_prefix(field).and_then(|rest| rest.strip_prefix(':')) else {
            let opens = line.contains("{{") && line.split_whitespace().any(|word| word.ends_with("with"));
            with = if opens { references(line) } else { Vec::new() };
            continue;
        };
        found.extend(references(rest));
        if rest.trim().is_empty() {
            let deeper = |next: &&str| indent(next) > indent(line) && next.trim_start().starts_with("{{");
            while let Some(next) = lines.next_if(|next| deeper(next)) {
                found.extend(references(next));
                if next.contains("toYaml . ") {
                    found.append(&mut with);
                }
            }
        }
    }
    let mut told = std::collections::BTreeSet::new();
    found.retain(|reference| told.insert(reference.clone()));
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Returns every `.Values.a.b` of a line, without `.Values.`.
fn references(line: &str) -> Vec<String> {
    let after = line.split(".Values.").skip(1);
    let path = |rest: &str| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "._-".contains(c))).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().trim_end_matches('.').to_owned()
    };
    after.map(path).filter(|path| !path.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_templates_fields_name_their_values() {
        let template = "\
spec:
  replicas: {{ .Values.replicaCount }}
  template:
    spec:
      containers:
      - name: {{ .Chart.Name }}
        image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"
        resources:
          {{- toYaml .Values.resources | nindent 10 }}
      {{- with .Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
";
        for (field, values) in [
            ("replicas", vec!["replicaCount"]),
            ("image", vec!["image.repository", "image.tag"]),
            ("resources", vec!["resources"]),
            ("nodeSelector", vec!["nodeSelector"]),
            ("name", vec![]),
            ("spec", vec![]),
        ] {
            assert_eq!(values_at(template, field), values, "{field}");
        }
    }
}
