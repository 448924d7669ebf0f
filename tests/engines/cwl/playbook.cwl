cwlVersion: v1.2
class: Workflow
doc: Cancels the pending machine actions, and tells who was cancelled, and what was answered for the others.
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
    out: [answer]
  report:
    run:
      class: ExpressionTool
      inputs:
        ids: string[]
        answers: Any[]
      outputs:
        cancelled: string[]
        not_cancelled: Any
      expression: |
        ${
          var report = {cancelled: [], not_cancelled: {}};
          inputs.ids.forEach(function (id, i) {
            var answer = inputs.answers[i];
            // An outcome is there if MDE_WAIT is set; without one, 2xx only means that the cancel was accepted.
            if (answer.outcome ? answer.outcome === "cancelled" : answer.status_code < 300) {
              report.cancelled.push(id);
            } else {
              report.not_cancelled[id] = answer.outcome || answer.status_code;
            }
          });
          return report;
        }
    in:
      ids: prepare/ids
      answers: cancel/answer
    out: [cancelled, not_cancelled]
outputs:
  cancelled:
    type: string[]
    outputSource: report/cancelled
  not_cancelled:
    type: Any
    outputSource: report/not_cancelled
