cwlVersion: v1.2
class: Workflow
doc: Cancels the pending machine actions, reports what became of each, and fails if any is not cancelled.
requirements:
  InlineJavascriptRequirement: {}
  ScatterFeatureRequirement: {}
  StepInputExpressionRequirement: {}
  SubworkflowFeatureRequirement: {}
inputs:
  comment:
    type: string
    default: Machine action was canceled by automation
  # Seconds that the step has for a cancel, and then until the action is final.
  timeout:
    type: int
    default: 60
  wait:
    type: int
    default: 120
steps:
  list:
    run: list.cwl
    in:
      comment: comment
    out: [ids, requests]
  cancel:
    run: cancel-patiently.cwl
    scatter: request
    in:
      request: list/requests
      timeout: timeout
      wait: wait
    out: [answer]
  report:
    run:
      class: ExpressionTool
      inputs:
        ids: string[]
        answers: Any[]
      outputs:
        fates: Any
      expression: |
        ${
          function fate(answer) {
            if (answer.error) return answer.error.code + ": " + answer.error.message;
            // Without an outcome, or with one of these, a 2xx means only that the service accepted the cancel.
            if (["pending", "unverified"].indexOf(answer.outcome || "pending") < 0) return answer.outcome;
            return answer.status_code < 300 ? "accepted" : answer.status_code + " " + answer.reason;
          }
          var fates = {};
          inputs.ids.forEach(function (id, i) { fates[id] = fate(inputs.answers[i]); });
          return {fates: fates};
        }
    in:
      ids: list/ids
      answers: cancel/answer
    out: [fates]
  fail:
    run: fail.cwl
    in:
      fates: report/fates
      reason:
        source: report/fates
        valueFrom: |
          ${
            var ids = Object.keys(self).filter(function (id) { return self[id] !== "cancelled"; });
            return "not cancelled: " + ids.map(function (id) { return id + ": " + self[id]; }).join(", ");
          }
    when: '$(Object.keys(inputs.fates).some(function (id) { return inputs.fates[id] !== "cancelled"; }))'
    out: []
outputs:
  fates:
    type: Any
    outputSource: report/fates
