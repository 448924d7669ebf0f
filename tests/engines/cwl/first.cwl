cwlVersion: v1.2
class: CommandLineTool
requirements:
  NetworkAccess: {networkAccess: true}
  WorkReuse: {enableReuse: false} # an earlier run's answer would be a cancel that was never sent
  ToolTimeLimit: {timelimit: 210} # seconds: 60 for the cancel + 120 until the action is final + 30 to spare
baseCommand: [cancel-machine-action, --timeout, "60", --wait, "120"]
inputs: {request: stdin}
stdout: answer.json
outputs: {answer: stdout}
successCodes: [0] # the action is cancelled
temporaryFailCodes: [8] # "not now"
permanentFailCodes: [1, 2, 3, 4, 5, 6, 7]
