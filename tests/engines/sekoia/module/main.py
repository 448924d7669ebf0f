from cancel_machine_action import CancelMachineAction
from sekoia_automation.module import Module

if __name__ == "__main__":
    module = Module()
    module.register(CancelMachineAction, "CancelMachineAction")
    module.run()
