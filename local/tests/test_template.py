"""What must hold in template.yaml, whatever else changes."""

import json
import re

from stack.template import RESOURCES, TEMPLATE, of
from stack.tools import ROOT

FUNCTION = "AWS::Serverless::Function"
FOLDERS = {
    "WebhookReceiver": "webhook-receiver",
    "CtQueueListener": "ct-queue-listener",
    "MessageRouter": "message-router",
    "ReplayFunction": "replay",
    "JobScheduler": "job-scheduler",
}
STANDARD = ("CtQueue", "CtDeadLetterQueue")
"""Queues that are not FIFO: commercetools takes none that is, and a dead-letter queue is of its queue's kind."""


def test_the_queue_outlasts_the_function_and_stays_within_the_deduplication_window():
    for function, queue in (("MessageRouter", "EventQueue"), ("CtQueueListener", "CtQueue")):
        timeout = RESOURCES[function]["Properties"]["Timeout"]
        visibility = RESOURCES[queue]["Properties"]["VisibilityTimeout"]
        assert 6 * timeout <= visibility < 300, queue


def test_one_message_a_batch_with_partial_answers():
    source = RESOURCES["MessageRouter"]["Properties"]["Events"]["EventQueue"]["Properties"]
    assert (source["BatchSize"], source["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])


def test_notifications_come_in_batches_with_partial_answers():
    source = RESOURCES["CtQueueListener"]["Properties"]["Events"]["CtQueue"]["Properties"]
    assert (source["BatchSize"], source["FunctionResponseTypes"]) == (10, ["ReportBatchItemFailures"])
    assert source["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_every_queue_is_encrypted_and_kept_and_fifo_where_it_can_be():
    queues = of("AWS::SQS::Queue")
    assert len(queues) == 5
    for name, queue in queues.items():
        properties = queue["Properties"]
        assert properties["SqsManagedSseEnabled"], name
        assert properties.get("FifoQueue", False) == (name not in STANDARD), name
        assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600, name
        assert queue["DeletionPolicy"] == queue["UpdateReplacePolicy"] == "Retain", name
    assert "RedrivePolicy" not in queues["UndeliveredQueue"]["Properties"]


def test_commercetools_and_nobody_else_may_send_to_the_ct_queue():
    assert RESOURCES["CtQueue"]["Properties"]["MaximumMessageSize"] == 256 * 1024
    (policy,) = of("AWS::SQS::QueuePolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert policy["Properties"]["Queues"] == ["CtQueue"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::362576667341:user/subscriptions"},
        "Action": "sqs:SendMessage",
        "Resource": "CtQueue.Arn",
    }


def test_every_log_group_has_a_retention():
    groups = of("AWS::Logs::LogGroup")
    assert len(groups) >= 3
    assert all("RetentionInDays" in group["Properties"] for group in groups.values())


def test_every_function_writes_to_a_log_group_of_its_own():
    groups = of("AWS::Logs::LogGroup")
    written = [function["Properties"]["LoggingConfig"]["LogGroup"] for function in of(FUNCTION).values()]
    assert len(set(written)) == len(written)
    assert set(written) <= set(groups)


def test_what_waits_outlives_the_stack_and_nothing_else_is_left_behind():
    kept = {name for name, resource in RESOURCES.items() if resource.get("DeletionPolicy") == "Retain"}
    assert kept == set(of("AWS::SQS::Queue")) | {"EventLog", "WebhookReceiverLog"}
    assert all(RESOURCES[name]["UpdateReplacePolicy"] == "Retain" for name in kept)


def test_what_holds_data_or_costs_is_tagged_with_the_stack():
    tagged = ("AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::IAM::Role")
    for kind in tagged:
        for name, resource in of(kind).items():
            assert resource["Properties"]["Tags"] == [{"Key": "fluent-connect:stack", "Value": "AWS::StackName"}], name
    mapping = {"fluent-connect:stack": "AWS::StackName"}
    assert TEMPLATE["Globals"]["Function"]["Tags"] == mapping
    assert all(RESOURCES[name]["Properties"]["Tags"] == mapping for name in ("HttpApi", "HttpApiStage"))


def test_the_api_is_throttled_and_its_access_log_tells_no_header_and_no_body():
    stage = RESOURCES["HttpApiStage"]["Properties"]
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": "WebhookRateLimit",
        "ThrottlingBurstLimit": "WebhookBurstLimit",
    }
    log = json.loads(stage["AccessLogSettings"]["Format"])
    assert log["requestId"] == "$context.requestId"  # API Gateway refuses a format without it
    assert not [told for told in log.values() if "header" in told or "body" in told or "authorizer" in told]


def test_every_function_is_traced():
    assert TEMPLATE["Globals"]["Function"]["Tracing"] == "Tracing"  # the parameter
    assert TEMPLATE["Parameters"]["Tracing"]["Default"] == "Active"
    assert not [name for name, function in of(FUNCTION).items() if "Tracing" in function["Properties"]]


def test_no_policy_allows_an_action_by_wildcard_or_every_resource_but_to_xray():
    for role in of("AWS::IAM::Role").values():
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                assert not [action for action in actions if "*" in action]
                assert statement["Resource"] != "*" or all(action.startswith("xray:") for action in actions)


def test_each_function_may_read_the_sections_that_it_reads_and_no_other():
    source = "".join(path.read_text() for path in sorted((ROOT / "shared/connector/src").rglob("*.rs")))
    for snapshots, role in (
        (("KeyRing", "Sources"), "WebhookReceiverRole"),
        (("KeyRing", "Sources"), "ReplayRole"),
        (("MessageNames",), "CtQueueListenerRole"),
        (("RoutingTable",), "MessageRouterRole"),
        (("Routes",), "JobSchedulerRole"),
    ):
        section = r"impl Snapshot for {} \{{\s+const SECTIONS:[^=]+=\s+&\[([^\]]+)\]"
        sections = ", ".join(re.search(section.format(snapshot), source)[1] for snapshot in snapshots)
        names = {section.lower() for section in re.findall(r"Section::(\w+)", sections)}
        statements = RESOURCES[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        read = next(statement for statement in statements if statement["Action"] == "ssm:GetParametersByPath")
        paths = {resource.split("${AWS::StackName}/")[1] for resource in read["Resource"]}
        assert paths == names | {f"{name}/*" for name in names}, snapshots


def test_how_far_jobs_have_come_is_read_by_the_scheduler_and_written_by_the_router_alone():
    allowed = {}
    for role, resource in of("AWS::IAM::Role").items():
        for statement in resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
            if "/jobs" in str(statement["Resource"]):
                assert statement["Resource"].endswith("${AWS::StackName}/jobs/*"), role
                allowed[role] = statement["Action"]
    assert allowed == {
        "MessageRouterRole": ["ssm:GetParameter", "ssm:PutParameter"],
        "JobSchedulerRole": ["ssm:GetParameter", "ssm:GetParameters"],
    }


def test_a_tick_comes_every_minute_and_none_is_repeated_beyond_the_deduplication_window():
    (rule,) = of("AWS::Events::Rule").values()
    (target,) = rule["Properties"]["Targets"]
    assert (rule["Properties"]["ScheduleExpression"], target["Arn"]) == ("cron(* * * * ? *)", "JobScheduler.Arn")
    invoked = RESOURCES["JobScheduler"]["Properties"]["EventInvokeConfig"]
    for policy in (target["RetryPolicy"], invoked):
        assert policy["MaximumEventAgeInSeconds"] < 300
    alarm = RESOURCES["JobSchedulerAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["Dimensions"][0]["Value"]) == ("Errors", "JobScheduler")


def test_the_readme_names_every_parameter_and_every_output():
    part = (ROOT / "README.md").read_text().split("### Parameters and outputs of the stack\n")[1].split("\n#")[0]
    tables = {table.split("|")[1].strip(): table for table in part.split("\n\n") if table.lstrip().startswith("|")}
    told = {
        name: re.findall(r"`(\w+)`", " ".join(re.findall(r"^\|([^|]+)", table, re.M))) for name, table in tables.items()
    }
    assert sorted(told["parameter"]) == sorted(TEMPLATE["Parameters"])
    assert sorted(told["output"]) == sorted(TEMPLATE["Outputs"])


def test_no_key_is_configured_by_the_template():
    assert not of("AWS::SSM::Parameter")
    assert "BEGIN PUBLIC KEY" not in (ROOT / "template.yaml").read_text()


def test_every_variable_that_a_function_reads_is_set_and_none_besides():
    common = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    for name, folder in FOLDERS.items():
        own = RESOURCES[name]["Properties"].get("Environment", {"Variables": {}})["Variables"]
        sources = [ROOT / "functions" / folder / "src" / "settings.rs", ROOT / "shared/aws/src/foundation.rs"]
        if "Served::read" in sources[0].read_text():
            sources.append(ROOT / "shared/connector/src/webhook.rs")
        read = set(re.findall(r'\(\s*"([A-Z_0-9]+)"[,)]', "".join(source.read_text() for source in sources)))
        assert read - {"AWS_XRAY_DAEMON_ADDRESS"} == set(common) | set(own), name  # that one Lambda sets


def test_no_network_is_allowed_unless_somebody_says_so():
    assert TEMPLATE["Parameters"]["DangerouslyAllowNetworks"]["Default"] == ""


def test_no_endpoint_can_outlast_the_router():
    endpoint = (ROOT / "shared/connector/src/endpoint.rs").read_text()
    router = (ROOT / "functions/message-router/src/router.rs").read_text()
    token = (ROOT / "shared/connector/src/token.rs").read_text()
    longest = int(re.search(r"LONGEST_TIMEOUT: Duration = Duration::from_secs\((\d+)\)", endpoint)[1])
    reserve = int(re.search(r"RESERVE: Duration = Duration::from_secs\((\d+)\)", router)[1])
    call = int(re.search(r"TOKEN_TIMEOUT: Duration = Duration::from_secs\((\d+)\)", token)[1])
    assert longest + call + 2 + reserve < RESOURCES["MessageRouter"]["Properties"]["Timeout"]


def test_a_request_of_the_receiver_ends_within_its_time_however_long_it_waits_for_its_configuration():
    seconds = r"{}: Duration = Duration::from_secs\((\d+)\)"
    longest = 0
    for path, name in (
        ("functions/webhook-receiver/src/receive.rs", "PATIENCE"),
        ("shared/aws/src/clients.rs", "OPERATION_TIMEOUT"),
        ("shared/aws/src/event_log.rs", "LONGEST_FLUSH"),
    ):
        longest += int(re.search(seconds.format(name), (ROOT / path).read_text())[1])
    assert longest < RESOURCES["WebhookReceiver"]["Properties"]["Timeout"] < 30
