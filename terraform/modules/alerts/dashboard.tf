locals {
  job_names = sort(values(var.jobs))

  panels = [
    {
      title   = "Seconds a run"
      metrics = [for job in local.job_names : ["Glue", "glue.driver.aggregate.elapsedTime", "JobName", job, "JobRunId", "ALL", "Type", "count"]]
      stat    = "Maximum"
    },
    {
      title   = "Failed tasks"
      metrics = [for job in local.job_names : ["Glue", "glue.driver.aggregate.numFailedTasks", "JobName", job, "JobRunId", "ALL", "Type", "count"]]
      stat    = "Sum"
    },
    {
      title   = "Bytes read"
      metrics = [for job in local.job_names : ["Glue", "glue.driver.aggregate.bytesRead", "JobName", job, "JobRunId", "ALL", "Type", "count"]]
      stat    = "Sum"
    },
    {
      title   = "Workers in use"
      metrics = [for job in local.job_names : ["Glue", "glue.driver.ExecutorAllocationManager.executors.numberAllExecutors", "JobName", job, "JobRunId", "ALL", "Type", "gauge"]]
      stat    = "Maximum"
    },
    {
      title   = "Messages waiting"
      metrics = [for queue in values(merge(var.queues, var.dead_letters)) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]]
      stat    = "Maximum"
    },
    {
      title   = "Functions: calls and errors"
      metrics = [for pair in setproduct(["Invocations", "Errors", "Throttles"], values(var.functions)) : ["AWS/Lambda", pair[0], "FunctionName", pair[1]]]
      stat    = "Sum"
    },
    {
      title   = "Sets: runs that succeeded and failed"
      metrics = [for metric in ["ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut"] : ["AWS/States", metric, "StateMachineArn", var.state_machine]]
      stat    = "Sum"
    },
  ]

  widgets = [for index, panel in local.panels : {
    type   = "metric"
    x      = index % 2 * 12
    y      = floor(index / 2) * 6
    width  = 12
    height = 6
    properties = {
      title   = panel.title
      region  = var.region
      view    = "timeSeries"
      stat    = panel.stat
      period  = 300
      metrics = panel.metrics
    }
  }]
}
