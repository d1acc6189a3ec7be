"""Lending in the portal: calculator, application, offer, loan, payments, files."""
