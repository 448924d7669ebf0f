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
    out: [status_code, response_headers]
  wait:
    run: wait.cwl
    in:
      status_code: first/status_code
      seconds:
        source: first/response_headers
        # It may be a date, or be missing: then a minute, which is what the service counts calls by.
        valueFrom: $(parseInt(self["Retry-After"]) || 60)
    when: $([429, 500, 502, 503, 504].indexOf(inputs.status_code) >= 0)
    out: [waited]
  second:
    run: cancel-machine-action.cwl
    in:
      request: request
      waited: wait/waited
    when: $(inputs.waited !== null)
    out: [status_code]
outputs:
  status_code:
    type: int
    outputSource: [second/status_code, first/status_code]
    pickValue: first_non_null
