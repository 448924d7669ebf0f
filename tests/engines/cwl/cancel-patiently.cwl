cwlVersion: v1.2
class: Workflow
doc: Cancels one machine action; if the service may take it later, calls once more when it asks for that.
requirements:
  InlineJavascriptRequirement: {}
  MultipleInputFeatureRequirement: {}
  StepInputExpressionRequirement: {}
inputs:
  request: File
steps:
  first:
    run: cancel-machine-action.cwl
    in:
      request: request
    out: [answer]
  wait:
    run: wait.cwl
    in:
      answer: first/answer
      seconds:
        source: first/answer
        # It may be a date, or be missing: then a minute, which is what the service counts calls by.
        valueFrom: $(parseInt(self.response_headers["Retry-After"]) || 60)
    when: $([429, 500, 502, 503, 504].indexOf(inputs.answer.status_code) >= 0)
    out: [waited]
  second:
    run: cancel-machine-action.cwl
    in:
      request: request
      waited: wait/waited
    when: $(inputs.waited !== null)
    out: [answer]
outputs:
  answer:
    type: Any
    outputSource: [second/answer, first/answer]
    pickValue: first_non_null
