"""File plan, due list with its explanation, holds."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
