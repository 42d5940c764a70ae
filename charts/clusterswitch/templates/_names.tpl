{{- define "clusterswitch.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* What the pod of helm test is called in its label, which has 63 characters at most. */}}
{{- define "clusterswitch.testName" -}}
{{- printf "%s-test" (include "clusterswitch.name" . | trunc 58 | trimSuffix "-") -}}
{{- end -}}

{{/* The release's name, unless it says clusterswitch already. Leaves room for "-operator". */}}
{{- define "clusterswitch.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "clusterswitch.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 54 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "clusterswitch.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "clusterswitch.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: name the account to use, or set serviceAccount.create" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "clusterswitch.selector" -}}
app.kubernetes.io/name: {{ include "clusterswitch.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "clusterswitch.labels" -}}
{{ include "clusterswitch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
What stands below `metadata` of every object but the CRD: namespace, labels and annotations. Takes the top, and may take more
labels and annotations: (dict "top" $ "labels" … "annotations" …).
*/}}
{{- define "clusterswitch.metadata" -}}
namespace: {{ .top.Release.Namespace }}
{{ include "clusterswitch.labelsAndAnnotations" . }}
{{- end -}}

{{- define "clusterswitch.labelsAndAnnotations" -}}
labels:
  {{- include "clusterswitch.labels" .top | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .top.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "clusterswitch.image" -}}
{{- $repository := required "image.repository: name the image that the repository's Dockerfile builds: where you pushed it, or as the nodes have it, such as clusterswitch or localhost/clusterswitch" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/*
The environment of the daemon. Where memory is limited, Go's collector learns the limit: it then works harder near it, instead of
letting the kernel end the daemon in the middle of a preflight.
*/}}
{{- define "clusterswitch.env" -}}
{{- $named := false -}}
{{- range .Values.env -}}
{{- if eq .name "GOMEMLIMIT" -}}{{- $named = true -}}{{- end -}}
{{- end -}}
{{- if and (not $named) ((.Values.resources).limits).memory -}}
- name: GOMEMLIMIT
  valueFrom:
    # The divisor is what an API server fills in: Argo CD would find the object changed for ever.
    resourceFieldRef: {resource: limits.memory, divisor: "0"}
{{ end -}}
{{- with .Values.env }}
{{- toYaml . }}
{{- end }}
{{- end -}}

{{/* The pairs, as a list in JSON. */}}
{{- define "clusterswitch.pairs" -}}
{{- if and .Values.pairs .Values.config.pairs -}}
{{- fail "pairs: given twice, also as config.pairs; keep one" -}}
{{- end -}}
{{- toJson (.Values.pairs | default .Values.config.pairs | default list) -}}
{{- end -}}

{{/* The name of the lease that says which daemon leads. Each release has its own: they have other pairs. */}}
{{- define "clusterswitch.lease" -}}
{{- dig "leaderElection" "name" (include "clusterswitch.fullname" .) .Values.config -}}
{{- end -}}

{{/* The configuration document. What the chart itself decides can't be written twice. */}}
{{- define "clusterswitch.config" -}}
{{- /* Not by JSON, which would make 1e+06 of a million. */ -}}
{{- $pairs := .Values.pairs | default .Values.config.pairs -}}
{{- if not (include "clusterswitch.pairs" . | fromJsonArray) -}}
{{- fail "pairs: name at least one pair of clusters; docs/config.md has every key" -}}
{{- end -}}
{{- if hasKey .Values.config "listen" -}}
{{- fail "config.listen: leave it out; the chart sets it from port" -}}
{{- end -}}
{{- if hasKey .Values.config "journal" -}}
{{- fail "config.journal: leave it out; the custom resources live in the release's namespace" -}}
{{- end -}}
{{- if and (gt (int .Values.replicas) 1) (eq (dig "leaderElection" "enabled" true .Values.config) false) -}}
{{- fail "replicas: set it to 1, or leave config.leaderElection.enabled at true; without a lease exactly one daemon may run" -}}
{{- end -}}
{{- /* Above all for --reuse-values --set pairs[0].serve=green: what --set makes takes the place of the whole list. */ -}}
{{- range $i, $pair := $pairs -}}
{{- range list "name" "serve" "blue" "green" "traffic" "steps" -}}
{{- if not (index $pair .) -}}
{{- fail (printf "pairs[%d].%s: it is missing; give the whole list of pairs by --values: --set below pairs[0] alone leaves nothing else in it" $i .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $runbooks := include "clusterswitch.runbookDir" . -}}
{{- if and $runbooks (not .Values.runbookVolume) -}}
{{- fail "runbookVolume: name a volume for config.runbook.dir; the daemon's own file system is read-only" -}}
{{- end -}}
{{- if and .Values.runbookVolume (not (hasPrefix "/" $runbooks)) -}}
{{- fail "config.runbook.dir: name the folder for runbookVolume by its whole path, or leave both out" -}}
{{- end -}}
{{- $set := dict "listen" (printf ":%d" (int .Values.port)) "journal" (dict "namespace" .Release.Namespace) "pairs" $pairs -}}
{{- $usual := dict "apiVersion" "clusterswitch.io/v1alpha1" "leaderElection" (dict "name" (include "clusterswitch.lease" .)) -}}
{{- toYaml (merge $set (omit .Values.config "pairs") $usual) -}}
{{- end -}}

{{/* The names of the Secrets from which the configuration takes kubeconfigs, as a list in JSON. */}}
{{- define "clusterswitch.kubeconfigSecrets" -}}
{{- $names := list }}
{{- range (include "clusterswitch.pairs" . | fromJsonArray) }}
{{- range list .blue .green }}
{{- if kindIs "map" . }}
{{- with .kubeconfigSecret }}
{{- $names = append $names .name }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $names | compact | uniq | sortAlpha | toJson }}
{{- end }}

{{/* The folder for runbooks as files; empty: there is none. */}}
{{- define "clusterswitch.runbookDir" -}}
{{- dig "runbook" "dir" "" .Values.config -}}
{{- end -}}

{{/*
The namespaces of this cluster in which the preflight looks for Argo CD's Applications, as a list in JSON; an empty name is
all of them. Where the configuration names none, it is the one that the daemon looks into by default, if Argo CD is here at all:
Argo Rollouts and Workflows have the same group of kinds, and who has Argo CD elsewhere must still get a release.
*/}}
{{- define "clusterswitch.argocdIsUsual" -}}
{{- if .Capabilities.APIVersions.Has "argoproj.io/v1alpha1/Application" -}}
{{- /* Without a cluster to ask, as for "helm template" and Argo CD itself, nothing is found at all. */ -}}
{{- if or (not (lookup "v1" "Namespace" "" "kube-system")) (lookup "v1" "Namespace" "" "argocd") -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "clusterswitch.argocdNamespaces" -}}
{{- $namespaces := list }}
{{- range (include "clusterswitch.pairs" . | fromJsonArray) }}
{{- $preflight := .preflight | default dict }}
{{- $argocd := $preflight.argocd | default dict }}
{{- $off := has (toString $preflight.mode) (list "off" "false") }}
{{- if not (or $off (and (hasKey $argocd "management") (not $argocd.management))) }}
{{- if hasKey $argocd "namespaces" }}
{{- $namespaces = concat $namespaces ($argocd.namespaces | default (list "")) }}
{{- else if include "clusterswitch.argocdIsUsual" $ }}
{{- $namespaces = append $namespaces "argocd" }}
{{- end }}
{{- end }}
{{- end }}
{{- $namespaces | uniq | sortAlpha | toJson }}
{{- end }}
