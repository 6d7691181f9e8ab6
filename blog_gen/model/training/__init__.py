"""Fine-tuning: the network, its gradients, the optimizer and what decides when to stop."""
