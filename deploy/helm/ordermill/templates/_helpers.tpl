{{- define "ordermill.labels" -}}
app.kubernetes.io/name: ordermill
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "ordermill.selector" -}}
app.kubernetes.io/name: ordermill
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The processes by name: one of everything when embedded, or the deployments. */}}
{{- define "ordermill.processes" -}}
{{- if eq .Values.mode "embedded" -}}
{{- dict "ordermill" (dict "run" list "replicas" 1 "resources" .Values.resources) | toYaml -}}
{{- else -}}
{{- .Values.services | toYaml -}}
{{- end -}}
{{- end }}

{{- define "ordermill.fullname" -}}
{{- if eq .component "ordermill" }}{{ .root.Release.Name }}{{ else }}{{ .root.Release.Name }}-{{ .component }}{{ end -}}
{{- end }}

{{- /* The pod of a process: dict "root" $ "component" NAME "process" PROCESS */}}
{{- define "ordermill.pod" -}}
{{- $values := .root.Values }}
metadata:
  labels:
    {{- include "ordermill.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- with $values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ .root.Release.Name }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add $values.drainSeconds $values.shutdownSeconds 10 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "ordermill.selector" $.root | nindent 10 }}
          app.kubernetes.io/component: {{ $.component }}
    {{- end }}
  containers:
    - name: ordermill
      {{- with $values.image }}
      image: {{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.root.Chart.AppVersion }}{{ end }}
      imagePullPolicy: {{ .pullPolicy }}
      {{- end }}
      args:
        - serve
        {{- with .process.run }}
        - --services
        - {{ join "," . }}
        {{- end }}
      ports:
        - {name: http, containerPort: 8080}
      env:
        - {name: ORDERMILL_LISTEN, value: "0.0.0.0:8080"}
        - {name: ORDERMILL_SHUTDOWN_TIMEOUT, value: {{ printf "%vs" $values.shutdownSeconds | quote }}}
        - {name: ORDERMILL_HOSTS, value: {{ include "ordermill.hosts" .root | quote }}}
        {{- if eq $values.mode "embedded" }}
        - {name: ORDERMILL_DATA_DIR, value: /data}
        {{- end }}
        {{- range $name, $value := merge (dict) $values.settings (dict "ORDERMILL_LOG_FORMAT" "json") }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
      {{- with $values.secrets }}
      envFrom:
        {{- range . }}
        - secretRef: {name: {{ . }}}
        {{- end }}
      {{- end }}
      # The first start of an installation makes schemas and some seventy queues.
      startupProbe:
        httpGet: {path: /health, port: http}
        periodSeconds: 2
        failureThreshold: 60
      # Never /ready: while a database is away, a new start helps nothing.
      livenessProbe:
        httpGet: {path: /health, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /ready, port: http}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      # On SIGTERM it stops listening at once: first every proxy must know that it ends.
      lifecycle:
        preStop:
          sleep: {seconds: {{ $values.drainSeconds }}}
      resources:
        {{- toYaml .process.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      {{- if eq $values.mode "embedded" }}
      volumeMounts:
        - {name: data, mountPath: /data}
      {{- end }}
{{- end }}

{{- /* Every name by which a request may ask for it; IP addresses are answered to anyhow. */}}
{{- define "ordermill.hosts" -}}
{{- $hosts := concat (list) .Values.hosts }}
{{- if .Values.ingress.enabled }}{{ $hosts = append $hosts .Values.ingress.host }}{{ end }}
{{- range $component := keys (include "ordermill.processes" . | fromYaml) | sortAlpha }}
{{- $name := include "ordermill.fullname" (dict "root" $ "component" $component) }}
{{- $hosts = concat $hosts (list $name (printf "%s.%s" $name $.Release.Namespace) (printf "%s.%s.svc" $name $.Release.Namespace) (printf "%s.%s.svc.cluster.local" $name $.Release.Namespace)) }}
{{- end }}
{{- join "," (uniq $hosts) -}}
{{- end }}
