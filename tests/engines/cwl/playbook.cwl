cwlVersion: v1.2
class: Workflow
doc: Cancels the pending machine actions, and tells who was cancelled and who was refused.
requirements:
  InlineJavascriptRequirement: {}
  ScatterFeatureRequirement: {}
  SubworkflowFeatureRequirement: {}
inputs:
  comment:
    type: string
    default: Machine action was canceled by automation
steps:
  list:
    run: list-pending-actions.cwl
    in: {}
    out: [json_body]
  prepare:
    run:
      class: ExpressionTool
      inputs:
        pending: Any
        comment: string
      outputs:
        ids: string[]
        requests: File[]
      expression: |
        ${
          var ids = inputs.pending.value.map(function (action) { return action.id; });
          var requests = ids.map(function (id) {
            var request = {path_parameters: {machineactionid: id}, json_body: {Comment: inputs.comment}};
            return {class: "File", basename: "request.json", contents: JSON.stringify(request)};
          });
          return {ids: ids, requests: requests};
        }
    in:
      pending: list/json_body
      comment: comment
    out: [ids, requests]
  cancel:
    run: cancel-patiently.cwl
    scatter: request
    in:
      request: prepare/requests
    out: [status_code]
  report:
    run:
      class: ExpressionTool
      inputs:
        ids: string[]
        status_codes: int[]
      outputs:
        cancelled: string[]
        refused: Any
      expression: |
        ${
          var report = {cancelled: [], refused: {}};
          inputs.ids.forEach(function (id, i) {
            var status = inputs.status_codes[i];
            if (status < 300) { report.cancelled.push(id); } else { report.refused[id] = status; }
          });
          return report;
        }
    in:
      ids: prepare/ids
      status_codes: cancel/status_code
    out: [cancelled, refused]
outputs:
  cancelled:
    type: string[]
    outputSource: report/cancelled
  refused:
    type: Any
    outputSource: report/refused
