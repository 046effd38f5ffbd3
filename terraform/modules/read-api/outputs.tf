output "url" {
  description = "Address of the API."
  value       = aws_apigatewayv2_stage.default.invoke_url
}

output "function" {
  description = "Name of the function."
  value       = aws_lambda_function.api.function_name
}

output "key_secret" {
  description = "Secret that takes the callers' key."
  value       = aws_secretsmanager_secret.key.name
}
