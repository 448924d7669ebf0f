cwlVersion: v1.2
class: Workflow
doc: Cancels one machine action; if it may succeed later, calls once more when the service asks for that.
requirements:
  InlineJavascriptRequirement: {}
  MultipleInputFeatureRequirement: {}
  StepInputExpressionRequirement: {}
inputs:
  request: File
  timeout: int
  wait: int
steps:
  first:
    run: cancel.cwl
    in:
      request: request
      timeout: timeout
      wait: wait
    out: [answer]
  pause:
    run: pause.cwl
    in:
      # An answer and a failure say in the same words whether and when to try again.
      advice:
        source: first/answer
        valueFrom: $(self.error || self)
      seconds:
        source: first/answer
        # If it does not say when: a minute, which is what the service counts calls by.
        valueFrom: $((self.error || self).retry_after_seconds || 60)
    when: $(inputs.advice.retryable === true)
    out: [paused]
  second:
    run: cancel.cwl
    in:
      request: request
      timeout: timeout
      wait: wait
      paused: pause/paused
    when: $(inputs.paused !== null)
    out: [answer]
outputs:
  answer:
    type: Any
    outputSource: [second/answer, first/answer]
    pickValue: first_non_null
